#pragma once

namespace swarm::inspect {

/// The program, for `main` of swarm-inspect and of swarmd, which is swarm-inspect where it is called so: packages have
/// one file of both, as swarmd contains most of it anyway. Returns the exit code.
int program(int argc, char** argv);

} // namespace swarm::inspect
