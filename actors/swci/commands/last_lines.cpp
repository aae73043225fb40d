#include "actors/swci/commands/last_lines.hpp"

#include "actors/swci/commands/reads.hpp"
#include "actors/swop/lines/last_lines.hpp"
#include "contracts/taskrunner/client.hpp"
#include "transport/errors.hpp"

namespace swarm::swci {

namespace {

constexpr unsigned http_ok = 200, http_forbidden = 403;

std::string_view word_of(const error& why) {
  return why.is(transport::net_errc::handshake) ? "not trusted" : "not reachable";
}

std::string_view word_of_refusal(std::string_view body) {
  const auto why = swop::decode_refusal(body);
  if (!why) return "refused";
  return *why == swop::lines_refusal::no_swci ? "for SWCIs only" : "of another organisation";
}

std::string name_of(const answers::taskrunner_peer_status& peer, const swop::program_lines& program) {
  const auto state = program.ended.empty() ? "running" : program.ended;
  if (program.kind == swop::program_kind::sn) return fmt::format("SN {}, {}", program.node, state);
  const auto* kind = program.kind == swop::program_kind::sl ? "SL" : "ML";
  const bool named = program.index < peer.pairs.size() && !peer.pairs[program.index].name.empty();
  const auto pair = named ? peer.pairs[program.index].name : fmt::format("pair {}", program.index);
  return fmt::format("{} of {}, {}", kind, pair, state);
}

tl::unexpected<std::string_view> without(std::string_view word) {
  return tl::unexpected<std::string_view>(word);
}

/// The body of its answer, or the word for why there is none.
tl::expected<std::string, std::string_view> ask(command_world& world, const address& taskrunner,
                                                const contracts::swop_view& swop) {
  if (!world.may_see_lines) return without("not shown to this client");
  const auto head = read(*world.sns, taskrunner, contracts::taskrunner_head_args{});
  const auto node = read(*world.sns, contracts::node_registry_address(), contracts::node_args{swop.account});
  if (!head || !node) return without("not reachable");
  const auto where = endpoint::parse(node->endpoint);
  if (!where) return without("not served");
  auto answer =
      world.ask_node(*where, swop::lines_target({.part = {head->run, head->times.assigned, swop.attempt},
                                                 .of_all = world.follows_lines}));
  if (!answer) return without(word_of(answer.error()));
  if (!answer->is_own_organisation) return without("of another organisation");
  if (answer->certificate != node->identity) return without("another node answers there");
  if (answer->status == http_forbidden) return without(word_of_refusal(answer->body));
  if (answer->status != http_ok) return without("not reachable");
  return std::move(answer->body);
}

} // namespace

void add_last_lines(answers::taskrunner_peer_status& to, command_world& world, const address& taskrunner,
                    const contracts::swop_view& swop) {
  const auto body = ask(world, taskrunner, swop);
  if (!body) {
    to.no_outputs = body.error();
    return;
  }
  auto programs =
      swop::decode_last_lines(*body, world.follows_lines ? swop::followed_lines_max : swop::last_lines_max);
  if (!programs) {
    to.no_outputs = "not understood";
    return;
  }
  if (programs->empty()) to.no_outputs = "none";
  for (auto& each : *programs) {
    if (each.lines.empty()) each.lines.emplace_back("(nothing)");
    to.outputs.push_back({name_of(to, each), std::move(each.lines)});
  }
}

} // namespace swarm::swci
