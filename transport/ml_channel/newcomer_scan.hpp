#pragma once

#include "transport/ml_channel/wire.hpp"

#include <optional>

namespace swarm::ml {

/// Finds the first message of a new program among bytes that are otherwise thrown away. A FIFO shows the end
/// of one writer only if no other has opened it by then, so bytes of two programs may follow each other
/// without a mark. The header of an open_session_request is fixed in 18 of its 22 bytes, so weights do not
/// contain it by chance.
class newcomer_scan {
public:
  struct find {
    header head;
    bytes_view rest; ///< the rest of the piece, behind the header
  };
  /// Takes the next piece of the stream, which may be cut anywhere. After a find the scan starts anew.
  std::optional<find> feed(bytes_view piece);

private:
  bytes tail_; ///< the beginning of what may be a header, which the next piece may complete
};

} // namespace swarm::ml
