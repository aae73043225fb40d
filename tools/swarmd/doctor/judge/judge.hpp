#pragma once

#include "tools/swarmd/doctor/facts.hpp"
#include "tools/swarmd/doctor/judge/line.hpp"

/// What facts mean. A fault makes one line; what cannot be told because of it is left out or "not checked". Time is an
/// argument.
namespace swarm::doctor {

lines judge_identity(const identity_facts& of, std::uint64_t now);
lines judge_folder(const folder_facts& of, bool is_sn);
lines judge_memory(const memory_facts& of);
/// All ports of a node: a host name that leads nowhere is one fault, however many ports are told by it.
lines judge_ports(const std::vector<port_facts>& ports);
lines judge_sn(const sn_facts& sn, const own_facts& own, std::uint64_t now);
lines judge_manager(const manager_facts& of);
lines judge_slurm(const slurm_facts& of);
lines judge_pods(const pods_facts& of);
lines judge_gpus(const gpu_facts& of);
lines judge_python(const python_facts& of);
lines judge_program(const program_facts& of);

} // namespace swarm::doctor
