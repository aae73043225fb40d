#pragma once

#include "actors/sl/files/gate/model_gate.hpp"

#include <filesystem>

namespace swarm::actors {

/// Which of the models in a store are merges of which training, in a file for the node's next life: a line
/// each with digest and training. It is written without waiting for the disk; what a power cut takes is
/// learnt from the chain when the node takes part in that training again. What cannot be read in it is left
/// out.
std::vector<gate::model_gate::merge> read_known_merges(const std::filesystem::path& file);
result<> write_known_merges(const std::filesystem::path& file,
                            const std::vector<gate::model_gate::merge>& merges);

} // namespace swarm::actors
