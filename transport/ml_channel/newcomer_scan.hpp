#pragma once

#include "transport/ml_channel/wire.hpp"

#include <optional>

namespace swarm::ml {

/// Finds the first message of a new program in what is otherwise thrown away: a FIFO shows the end of one
/// writer only if no other has opened it by then, so bytes of two programs may follow each other in it
/// without a mark. The header of an open_session_request is fixed in 18 of its 22 bytes; weights do not
/// contain it by chance.
class newcomer_scan {
public:
  struct find {
    header head;
    bytes_view rest; ///< of the piece, behind the header
  };
  /// The next piece of the stream, cut anywhere. After a find the scan starts anew.
  std::optional<find> feed(bytes_view piece);

private:
  bytes tail_; ///< what the next piece may complete, shorter than a header
};

} // namespace swarm::ml
