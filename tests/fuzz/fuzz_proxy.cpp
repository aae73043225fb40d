// The variables that name proxies, and what a proxy answers.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "transport/proxy/connect.hpp"

using namespace swarm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = as_text({data, size});
  if (const auto read = transport::parse_proxy(text)) {
    SWARM_ASSERT(transport::parse_proxy(read->shown())->where == read->where);
    const auto request = transport::connect_request(*read, "sn-1.example:443");
    SWARM_ASSERT(request.find("\r\n\r\n") == request.size() - 4);
  }
  const auto line = text.find('\n');
  if (const auto rules = transport::proxy_rules::make("proxy", text.substr(0, line)))
    (void)rules->proxy_for(line == std::string_view::npos ? text : text.substr(line + 1));
  const auto answer = transport::read_connect_answer(text);
  if (!answer) return 0;
  SWARM_ASSERT(size < transport::connect_answer_bytes_max || *answer);
  if (!*answer) return 0;
  const transport::proxy by{{"proxy", 3128}, "me", "hush"};
  SWARM_ASSERT(transport::judge_connect_answer(**answer, by, "sn-1.example:443").has_value()
               == ((*answer)->status < 300));
  return 0;
}
