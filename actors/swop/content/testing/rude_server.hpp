#pragma once
// For tests only: an HTTP server that answers exactly what it is told, however rude that is.
#include "transport/testing/test_support.hpp"

#include <unistd.h>

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace swarm::content::test {

/// Gives each request, by its number and its head, to a function that returns the whole answer as bytes. The
/// connection ends after it.
class rude_server {
public:
  using script = std::function<std::string(std::size_t number, const std::string& head)>;

  explicit rude_server(script answers)
      : answers_(std::move(answers)), listener_([this](int fd) { serve(fd); }) {}

  std::string address(const std::string& path = "/file") const {
    return "http://127.0.0.1:" + std::to_string(listener_.port()) + path;
  }
  std::uint16_t port() const { return listener_.port(); }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

private:
  void serve(int fd) {
    std::string head;
    for (char c; !head.ends_with("\r\n\r\n") && ::read(fd, &c, 1) == 1;)
      head += c;
    if (!head.ends_with("\r\n\r\n")) return;
    std::size_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = requests_.size();
      requests_.push_back(head);
    }
    const auto answer = answers_(number, head);
    for (std::size_t done = 0; done < answer.size();) {
      const auto count = ::write(fd, answer.data() + done, answer.size() - done);
      if (count <= 0) return;
      done += static_cast<std::size_t>(count);
    }
  }

  script answers_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  transport::test::raw_listener listener_;
};

/// An answer with a Content-Length.
inline std::string answer(const std::string& body, const std::string& headers = "",
                          const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers
         + "\r\n" + body;
}

} // namespace swarm::content::test
