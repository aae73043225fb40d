#pragma once

#include "actors/sl/files/model_fetch.hpp"
#include "base/endpoint.hpp"
#include "merge/testing/models.hpp"
#include "transport/http/http_server.hpp"
#include "transport/testing/test_support.hpp"

#include <list>
#include <mutex>

/// Nodes with file servers on the loopback interface, honest ones and liars, and a node that
/// fetches from them.
namespace swarm::actors::testing {

/// A file server that answers as it is told, and remembers what it was asked.
class holder {
public:
  using answer = std::function<void(const transport::http_request&, transport::http_reply)>;

  holder(transport::io_runtime& io, std::shared_ptr<const transport::tls_identity> identity, answer how);

  std::uint16_t port() const { return server_->port(); }
  rounds::holder address() const { return {{}, host_port("127.0.0.1", port())}; }
  /// "TARGET RANGE" of every request so far.
  std::vector<std::string> asked() const;

private:
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
  std::unique_ptr<transport::http_server> server_;
};

/// One node that fetches, and any number of holders.
class file_swarm {
public:
  explicit file_swarm(transport::http_client_options options = {});

  /// Makes a model of `chunks` chunks, the last one half full, which the honest holders store.
  std::shared_ptr<const merge::model_file> make_model(std::size_t chunks);
  holder& add(holder::answer how);
  /// Adds a holder that serves the models of `make_model`.
  holder& add_honest();
  /// Adds a holder that serves the right manifest, and the model as `how` says.
  holder& add_with_data(holder::answer how);
  transport::http_response honest_answer(const transport::http_request& request) const;
  /// A holder at an address where nobody listens.
  rounds::holder nobody() const;

  /// Adds a holder that fetches the model, too, and has these chunks of it.
  holder& add_fetching(const merge::model_file& model, const std::vector<std::uint64_t>& chunks);

  result<hash32> fetch(const merge::model_file& model, std::vector<rounds::holder> from);
  /// The same for a merge.
  result<hash32> gather(const merge::model_file& model, std::vector<rounds::holder> from,
                        std::vector<std::uint64_t> made_here = {});
  result<hash32> fetch(const hash32& digest, std::uint64_t size, std::vector<rounds::holder> from);

  result<merge::model_layout> fetch_layout(const merge::model_file& model, const hash32& layout,
                                           std::vector<rounds::holder> from);

  /// From now on the fetching node's store, an empty one, takes no more than this.
  void limit_store(std::uint64_t bytes);
  sl_context& fetcher() { return *fetcher_; }
  std::shared_ptr<const sl_context> context() const { return fetcher_; }
  const fetch_counters& counters() const { return *counters_; }
  transport::io_runtime& io() { return io_; }
  const transport::tls_files& files() const { return files_; }

private:
  std::shared_ptr<sl_context> make_node(const std::string& name);
  result<hash32> fetch(wanted_model what);

  transport::test::temp_folder folder_;
  transport::test::authority ca_{folder_.path(), "CA-1"};
  transport::tls_files files_ = ca_.issue("sl-1");
  std::shared_ptr<const transport::tls_identity> identity_ = transport::test::identity_of(files_);
  transport::io_runtime io_{2};
  std::shared_ptr<sl_context> honest_ = make_node("honest");
  std::shared_ptr<sl_context> fetcher_ = make_node("fetcher");
  std::shared_ptr<fetch_counters> counters_ = std::make_shared<fetch_counters>();
  std::list<std::shared_ptr<merge::model_part>> parts_;
  std::list<holder> holders_;
};

} // namespace swarm::actors::testing
