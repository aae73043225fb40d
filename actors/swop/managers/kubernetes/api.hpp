#pragma once

#include "base/result.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace swarm::kubernetes {

namespace json = boost::json;

/// Why the API server did not do what it was asked.
enum class api_errc {
  nowhere = 1, ///< nothing says where it is, or a file that is needed to reach it cannot be read
  away,        ///< it does not answer, or says that it cannot now: to be tried again
  denied,      ///< 401 or 403
  not_found,
  conflict, ///< the name is taken
  expired,  ///< what a watch is to go on from is too old: list anew
  refused,  ///< it takes the request for wrong; the words are its own
  bad_answer,
  stopped, ///< by the caller
};
constexpr std::string_view error_category(api_errc) {
  return "kubernetes";
}

/// Where an API server is, and as whom it is asked.
struct api_place {
  std::string host;
  std::uint16_t port = 443;
  std::filesystem::path token_file,
      ca_file; ///< read again for each connection, so that what changes is in use at once
  std::string name_space;
};

/// What an operator says of it; what is empty comes from the pod in which this process is.
struct api_wanted {
  std::string server; ///< https://HOST[:PORT]
  std::filesystem::path token_file, ca_file;
  std::string name_space;
};

/// Where every pod has its account.
inline constexpr const char* account_folder = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Fails with api_errc::nowhere and says what is to be given.
result<api_place> find_api(const api_wanted& wanted, const std::filesystem::path& account = account_folder);

/// Any of these in one namespace.
enum class kind { jobs, pods, secrets };

using query = std::vector<std::pair<std::string, std::string>>;

struct watch_event {
  std::string type; ///< ADDED, MODIFIED, DELETED or BOOKMARK
  json::object what;
};

/// The API server of a cluster, by HTTPS with a token. Each call opens a connection, blocks, has bounds of time and size, and
/// may be made from any thread. Messages name the server and say its own words.
class api {
public:
  explicit api(api_place where) : where_(std::move(where)) {}

  const api_place& place() const { return where_; }
  std::string server() const;

  /// One of them, or with an empty name a list.
  result<json::object> get(kind of, std::string_view name, const query& parameters = {}) const;
  result<json::object> create(kind of, const json::object& what) const;
  /// Pods of a job go as well, in the background.
  result<> remove(kind of, std::string_view name,
                  std::chrono::seconds grace = std::chrono::seconds(-1)) const;
  /// Whether the account may do so in the namespace; `resource` may name a part of it, such as "pods/log". The server
  /// keeps nothing of the question.
  result<bool> may(std::string_view verb, std::string_view group, std::string_view resource) const;
  /// What changes with those of a label from a version on, until the server ends it, `told` fails, or it is stopped.
  result<> watch(kind of, std::string_view labels, std::string_view version, const std::stop_token& stop,
                 const std::function<void(watch_event)>& told) const;
  /// The last lines of a container. `follow`: and what it writes until it ends; `begun` is called once they come.
  result<> log(std::string_view pod, std::string_view container, std::size_t lines, bool follow,
               const std::stop_token& stop, const std::function<void()>& begun,
               const std::function<void(std::string_view)>& take) const;

private:
  api_place where_;
};

/// A member that is a text; empty when it is none.
std::string text_at(const json::object& in, std::string_view key);

} // namespace swarm::kubernetes
