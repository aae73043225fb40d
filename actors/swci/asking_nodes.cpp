#include "actors/swci/asking_nodes.hpp"

#include "actors/sl/files/targets.hpp"

#include <future>

namespace swarm::actors {

namespace {

constexpr auto node_answer_max = std::chrono::seconds(3);

} // namespace

result<transport::http_response> ask_within(duration patience, transport::http_client& client,
                                            const endpoint& node, transport::http_request what,
                                            const std::stop_token& stop) {
  std::promise<result<transport::http_response>> came;
  auto answer = came.get_future();
  auto call = client.request(
      node.host, node.port, std::move(what),
      [&came](result<transport::http_response> response) { came.set_value(std::move(response)); });
  const std::stop_callback ended(stop, [&call] { call.cancel(); });
  if (answer.wait_for(patience) != std::future_status::ready) call.cancel();
  return answer.get();
}

result<swci::node_answer> ask_node(transport::http_client& client, const transport::tls_identity& identity,
                                   const std::stop_token& stop, const endpoint& node,
                                   transport::http_request what) {
  SWARM_TRY(auto from, ask_within(node_answer_max, client, node, std::move(what), stop));
  return swci::node_answer{from.status, std::move(from.body), from.peer.cert_fingerprint,
                           from.peer.anchor && identity.shares_anchor(*from.peer.anchor)};
}

result<> fetch_from(transport::http_client& client, const address& account, const std::stop_token& stop,
                    const endpoint& node, const swci::command_world::wanted_file& file,
                    const std::function<result<>(bytes_view)>& piece) {
  std::optional<transport::byte_range> range;
  if (file.offset > 0) range = transport::byte_range{file.offset, 0};
  std::promise<result<>> came;
  auto outcome = came.get_future();
  auto call = client.fetch(
      node.host, node.port, file.target, range, piece,
      [&came](const result<transport::fetch_result>& how) {
        if (how) return came.set_value({});
        came.set_value(tl::unexpected(how.error()));
      },
      headers_of_asker(account, file.block_num));
  const std::stop_callback ended(stop, [&call] { call.cancel(); });
  return outcome.get();
}

} // namespace swarm::actors
