#include "tools/swarmd/doctor/judge/judge.hpp"

#include <fmt/format.h>

namespace swarm::doctor {

namespace {

line image_line(const manager_facts& of) {
  if (of.sl_image_there) return {"sl-image", verdict::ok, of.sl_image, {}};
  if (!of.image_trouble.empty()) return {"sl-image", verdict::unchecked, of.image_trouble, {}};
  return {"sl-image", verdict::wrong,
          fmt::format("the engine has no image {}, in which SLs run", of.sl_image),
          "build it with deploy/docker/build, pull it, or name another one with --sl-image"};
}

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
  std::string out;
  for (const auto& each : texts)
    out += fmt::format("{}{}", out.empty() ? std::string_view() : between, each);
  return out;
}

} // namespace

lines judge_manager(const manager_facts& of) {
  using enum manager_facts::fault;
  const std::string check = of.is_engine ? "engine" : "sandbox";
  const auto wrong = [&](std::string remedy) {
    return lines{{check, verdict::wrong, of.trouble, std::move(remedy)}};
  };
  switch (of.is) {
  case absent:
    return wrong(
        of.is_engine
            ? "start it, name its socket with --docker-socket-file, or run programs in sandboxes with "
              "--manager process"
            : "install bubblewrap, or run programs in containers with --manager docker");
  case forbidden:
    return wrong(of.is_engine ? "put this user into the group that the socket belongs to, and log in anew"
                              : "or run programs in containers with --manager docker");
  case too_old:
    return wrong("bring both to the versions of docs/containers.md");
  case other:
    return wrong("look into the log of what serves the socket");
  case none:
    break;
  }
  if (!of.is_engine) return {{check, verdict::ok, "bubblewrap can keep programs apart", {}}};
  return {{check,
           verdict::ok,
           fmt::format("{} {} at {}, interface {}", of.product, of.version, of.socket, of.api),
           {}},
          image_line(of)};
}

lines judge_gpus(const gpu_facts& of) {
  if (of.hidden && !of.wishes.empty())
    return {{"gpu",
             verdict::unchecked,
             "the devices of the engine's host cannot be seen from this container",
             {}}};
  lines out;
  for (const auto& each : of.wishes)
    if (!each.there)
      out.push_back(
          {"gpu", verdict::wrong,
           fmt::format("the SWOP profile asks for {}, and there is no {}", each.option, each.device),
           "install the driver, or take that out of usrcontaineropts"});
  if (out.empty())
    out.push_back({"gpu",
                   verdict::ok,
                   of.devices.empty() ? "none, and none is asked for" : joined(of.devices, ", "),
                   {}});
  return out;
}

lines judge_python(const python_facts& of) {
  using enum python_facts::fault;
  const auto bad = of.named ? verdict::wrong : verdict::warning;
  switch (of.is) {
  case no_python:
    if (!of.named)
      return {
          {"python", verdict::unchecked, "there is no python3 here: training programs run elsewhere", {}}};
    return {{"python", verdict::wrong, fmt::format("{}: {}", of.program, of.trouble), "correct --python"}};
  case no_package:
    return {{"python", bad, fmt::format("{} ({}) has no package swarmlearning", of.program, of.version),
             "install the client wheel there with pip (deploy/bin/make-client-wheel), or name the Python of "
             "the training "
             "program with --python"}};
  case broken:
    return {{"python", verdict::wrong,
             fmt::format("{} ({}) cannot import swarmlearning: {}", of.program, of.version, of.trouble),
             "install what it lacks there, or the package anew"}};
  case none:
    break;
  }
  return {{"python",
           verdict::ok,
           fmt::format("{} {}, swarmlearning {}{}{}", of.program, of.version, of.package,
                       of.frameworks.empty() ? "" : ", ", joined(of.frameworks, ", ")),
           {}}};
}

lines judge_program(const program_facts& of) {
  if (!of.trouble.empty())
    return {{"program", verdict::wrong, fmt::format("{}: {}", of.command, of.trouble), "correct --program"}};
  if (of.out_of_time)
    return {{"program",
             verdict::ok,
             fmt::format("{} ran alone for {} s without failing, and was ended then", of.command, of.seconds),
             {}}};
  if (of.exit_code == 0)
    return {{"program", verdict::ok, fmt::format("{} ran alone to its end", of.command), {}}};
  return {{"program", verdict::wrong,
           fmt::format("{} run alone (SWARM_LOOPBACK=True) ends with exit code {}; its last lines:\n{}",
                       of.command, of.exit_code, joined(of.last_lines, "\n")),
           "repair the program until it trains alone; python -m swarmlearning check tells more"}};
}

} // namespace swarm::doctor
