#include "actors/swci/swci.hpp"

#include "actors/node/identity.hpp"
#include "actors/swci/commands/world.hpp"
#include "actors/swci/session_actor.hpp"
#include "actors/swci/web/web_console.hpp"

namespace swarm::actors {

result<child_spec> make_swci(const config::swci_options& options, std::string name,
                             std::shared_ptr<transport::io_runtime> io,
                             std::shared_ptr<swci::console> console) {
  std::error_code failure;
  if (!std::filesystem::is_directory(options.usr_dir, failure))
    return fail(errc::not_found, "{}: --usr-dir {} is no folder", options.node_name,
                options.usr_dir.native());
  auto context = std::make_shared<swci_context>();
  context->options = options;
  context->io = std::move(io);
  SWARM_TRY(const auto identity, open_node_identity(options));
  context->identity = identity.tls;
  context->client = std::make_shared<transport::http_client>(*context->io, context->identity);
  transport::http_client_options small;
  small.body_bytes_max = swci::node_answer_bytes_max;
  context->asker = std::make_shared<transport::http_client>(*context->io, context->identity, small);
  context->console = std::move(console);
  if (options.web) {
    std::error_code ignored;
    SWARM_TRY(context->console,
              swci::start_web_console(
                  *context->io, context->identity,
                  {.address = options.bind_address,
                   .port = options.web_port,
                   .plain_for_all = options.web_plain,
                   .members = identity.members,
                   .log_source = context->log_source,
                   .folder = swci::user_folder(
                       std::filesystem::absolute(options.usr_dir, ignored).lexically_normal().native())}));
  }
  supervisor_spec spec{
      .name = std::move(name), .how = strategy::one_for_one, .intensity = {}, .children = {}};
  spec.children = {{.name = std::string(swci_names::session), .start = session_actor(context)}};
  return nested(std::move(spec));
}

} // namespace swarm::actors
