#include "actors/ui/feed/feed_hub.hpp"

#include "actors/ui/feed/merge_patch.hpp"
#include "base/utf8.hpp"

#include <algorithm>

namespace swarm::ui {

namespace json = boost::json;

namespace {

constexpr std::uint16_t policy = 1008;
constexpr std::uint16_t no_session = 4401;

/// What members have put on the chain may be no UTF-8, at which browsers end the connection.
std::string as_utf8(std::string text) {
  if (is_utf8(text)) return text;
  for (auto& each : text)
    if (static_cast<unsigned char>(each) >= 0x80) each = '?';
  return text;
}

shared_text text_of(const json::object& message) {
  return data_text(message);
}

/// A state that stays although nobody watches it, so that the next one sees something at once.
bool is_kept(std::string_view topic) {
  return !training_of(topic);
}

} // namespace

shared_text data_text(const json::value& data) {
  return std::make_shared<const std::string>(as_utf8(json::serialize(data)));
}

std::string_view refusal_code(const error& why) {
  if (why.is(errc::invalid) || why.is(errc::limit)) return "invalid";
  if (why.is(errc::not_found)) return "not_found";
  if (why.is(errc::denied)) return "not_allowed";
  if (why.is(errc::unavailable) || why.is(errc::timeout) || why.is(errc::cancelled)) return "unavailable";
  return "refused";
}

void feed_hub::join(browser_id who, browser_session in, std::uint64_t now_ms) {
  const json::object hello{
      {"type", "hello"},
      {"now_ms", now_ms},
      {"you", json::object{{"name", in.name}, {"rights", to_string(in.may)}, {"expires_ms", in.expires_ms}}},
      {"server",
       json::object{{"node_name", facts_.node_name}, {"version", facts_.version}, {"uid", facts_.uid}}}};
  browsers_[who] = {.in = std::move(in), .topics = {}, .open = {}, .credit_at_ms = now_ms};
  actions_.push_back(action::send{who, text_of(hello)});
}

void feed_hub::leave(browser_id who) {
  const auto found = browsers_.find(who);
  if (found == browsers_.end()) return;
  for (const auto topics = found->second.topics; const auto& each : topics)
    unwatch(who, each);
  browsers_.erase(found);
}

void feed_hub::close(browser_id who, std::uint16_t code, std::string why) {
  leave(who);
  actions_.push_back(action::close{who, code, std::move(why)});
}

/// A message costs one credit, which comes back with time.
bool feed_hub::pays(browser& who, std::uint64_t now_ms) const {
  const auto earned = (std::max(now_ms, who.credit_at_ms) - who.credit_at_ms) * messages_a_second / 1000;
  if (earned > 0) {
    who.credit = std::min(burst_max, who.credit + earned);
    who.credit_at_ms = now_ms;
  }
  if (who.credit == 0) return false;
  --who.credit;
  return true;
}

void feed_hub::hear(browser_id who, std::string_view text, std::uint64_t now_ms) {
  const auto found = browsers_.find(who);
  if (found == browsers_.end()) return;
  auto& in = found->second;
  if (in.in.expires_ms <= now_ms) return close(who, no_session, "the session has expired");
  if (!pays(in, now_ms)) return close(who, policy, "too many messages");
  auto message = read_message(text);
  if (!message) return close(who, policy, "a message is refused: " + message.error().message);
  std::visit([&](auto& what) { on(who, in, what, now_ms); }, *message);
}

void feed_hub::on(browser_id who, browser& in, const said::watch& what, std::uint64_t now_ms) {
  const bool is_new = !in.topics.contains(what.topic);
  const bool is_first = !watched_.contains(what.topic);
  if (is_new && (in.topics.size() >= watched_max || (is_first && watched_.size() >= topics_max)))
    return close(who, policy, "too many topics are watched");
  in.topics.insert(what.topic);
  watched_.insert(what.topic);
  auto& topic = topics_[what.topic];
  topic.watchers.insert(who);
  tell_state(who, what.topic, topic, now_ms);
  actions_.push_back(action::look{});
}

void feed_hub::on(browser_id who, browser& in, const said::unwatch& what, std::uint64_t) {
  in.topics.erase(what.topic);
  unwatch(who, what.topic);
}

void feed_hub::unwatch(browser_id who, const std::string& name) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  found->second.watchers.erase(who);
  if (!found->second.watchers.empty()) return;
  watched_.erase(name);
  if (!is_kept(name)) topics_.erase(found);
}

/// False: it has been refused.
bool feed_hub::opens(browser_id who, browser& in, std::uint64_t id, std::uint64_t now_ms) {
  if (in.open.contains(id)) {
    refuse(who, id, "invalid", "'id' is that of a question that is not answered yet", now_ms);
    return false;
  }
  if (in.open.size() >= questions_max) {
    refuse(who, id, "busy", "too many questions at a time", now_ms);
    return false;
  }
  in.open.insert(id);
  return true;
}

void feed_hub::on(browser_id who, browser& in, said::ask& what, std::uint64_t now_ms) {
  if (opens(who, in, what.id, now_ms))
    actions_.push_back(action::ask{who, what.id, std::move(what.what), in.in.may});
}

void feed_hub::on(browser_id who, browser& in, said::act& what, std::uint64_t now_ms) {
  if (in.in.may != rights::acts)
    return refuse(who, what.id, "not_allowed", "this session may only look: --ui-operator lets one act",
                  now_ms);
  if (opens(who, in, what.id, now_ms))
    actions_.push_back(action::act{who, what.id, std::move(what.what), in.in.name});
}

void feed_hub::on(browser_id who, browser&, const said::nonsense& what, std::uint64_t now_ms) {
  refuse(who, what.id, "invalid", what.why, now_ms);
}

void feed_hub::refuse(browser_id who, std::uint64_t id, std::string_view code, std::string_view why,
                      std::uint64_t now_ms) {
  actions_.push_back(action::send{
      who, text_of({{"type", "refused"}, {"now_ms", now_ms}, {"id", id}, {"code", code}, {"why", why}})});
}

void feed_hub::answer(browser_id to, std::uint64_t id, const result<shared_text>& what,
                      std::uint64_t now_ms) {
  const auto found = browsers_.find(to);
  if (found == browsers_.end() || found->second.open.erase(id) == 0) return;
  if (!what) return refuse(to, id, refusal_code(what.error()), what.error().message, now_ms);
  auto text = fmt::format(R"({{"type":"answer","now_ms":{},"id":{},"data":{}}})", now_ms, id, **what);
  actions_.push_back(action::send{to, std::make_shared<const std::string>(std::move(text))});
}

void feed_hub::tell_state(browser_id who, const std::string& name, const topic_state& topic,
                          std::uint64_t now_ms) {
  if (!topic.absent.empty())
    actions_.push_back(action::send{
        who, text_of({{"type", "absent"}, {"now_ms", now_ms}, {"topic", name}, {"why", topic.absent}})});
  else if (!topic.data.is_null())
    actions_.push_back(action::send{who, text_of({{"type", "state"},
                                                  {"now_ms", now_ms},
                                                  {"topic", name},
                                                  {"serial", topic.serial},
                                                  {"data", topic.data}})});
}

void feed_hub::show(const std::string& name, json::object data, std::uint64_t now_ms) {
  auto found = topics_.find(name);
  if (found == topics_.end()) {
    if (!is_kept(name)) return; // nobody watches it any more
    found = topics_.try_emplace(name).first;
  }
  auto& topic = found->second;
  json::value whole(std::move(data));
  if (topic.data.is_null()) {
    topic.data = std::move(whole);
    topic.absent.clear();
    ++topic.serial;
    topic.told_ms = now_ms;
    for (const auto watcher : topic.watchers)
      tell_state(watcher, name, topic, now_ms);
    return;
  }
  auto change = merge_patch(topic.data, whole);
  if (!change) return;
  topic.data = std::move(whole);
  patch(name, topic, std::move(*change), now_ms);
}

void feed_hub::patch(const std::string& name, topic_state& topic, json::value change, std::uint64_t now_ms) {
  ++topic.serial;
  topic.told_ms = now_ms;
  if (topic.watchers.empty()) return;
  const auto text = text_of({{"type", "patch"},
                             {"now_ms", now_ms},
                             {"topic", name},
                             {"serial", topic.serial},
                             {"patch", std::move(change)}});
  for (const auto watcher : topic.watchers)
    actions_.push_back(action::send{watcher, text});
}

void feed_hub::show_absent(const std::string& name, std::string why, std::uint64_t now_ms) {
  const auto found = topics_.find(name);
  if (found == topics_.end() || (found->second.data.is_null() && found->second.absent == why)) return;
  auto& topic = found->second;
  topic.data = nullptr;
  topic.absent = std::move(why);
  for (const auto watcher : topic.watchers)
    tell_state(watcher, name, topic, now_ms);
}

namespace {

/// One message of several, in their order.
shared_text together(const std::vector<shared_text>& all) {
  if (all.size() == 1) return all.front();
  std::string out = R"({"type":"many","messages":[)" + *all.front();
  for (std::size_t i = 1; i < all.size(); ++i)
    out.append(",").append(*all[i]);
  return std::make_shared<const std::string>(out + "]}");
}

} // namespace

/// Nearly all who watch are told the same, so that it is put together once.
std::vector<hub_action> feed_hub::take_actions() {
  std::vector<hub_action> out;
  std::map<browser_id, std::pair<std::size_t, std::vector<shared_text>>>
      told; // where it stands in `out`, and what
  for (auto& each : std::exchange(actions_, {})) {
    auto* message = std::get_if<action::send>(&each);
    if (message == nullptr) {
      out.push_back(std::move(each));
      continue;
    }
    const auto [found, is_first] = told.try_emplace(message->to, out.size(), std::vector<shared_text>{});
    found->second.second.push_back(message->text);
    if (is_first) out.push_back(std::move(each));
  }
  std::map<std::vector<shared_text>, shared_text> made;
  for (const auto& [browser, what] : told) {
    auto& text = made[what.second];
    if (!text) text = together(what.second);
    std::get<action::send>(out[what.first]).text = text;
  }
  return out;
}

void feed_hub::tick(std::uint64_t now_ms) {
  std::vector<browser_id> over;
  for (const auto& [id, each] : browsers_)
    if (each.in.expires_ms <= now_ms) over.push_back(id);
  for (const auto each : over)
    close(each, no_session, "the session has expired");
  const auto found = topics_.find("network");
  if (found == topics_.end() || found->second.data.is_null()) return;
  if (now_ms >= found->second.told_ms + heartbeat_ms) patch("network", found->second, json::object{}, now_ms);
}

} // namespace swarm::ui
