#include "actors/sn/rpc/responder.hpp"

#include "actors/sn/rpc/open_methods.hpp"

namespace swarm::rpc {

namespace json = boost::json;

void responder::go_on(time_point now) {
  now_ = now;
  slice_ = 0;
  while (busy() && slice_ < slice_units) {
    if (!under_way_) {
      under_way_ = next();
      continue;
    }
    answer(under_way_->requests[under_way_->answered++], under_way_->answers);
    const bool ended = under_way_->answered == under_way_->requests.size();
    if (!ended && !waiting()) continue;
    auto rest = std::move(*under_way_);
    under_way_.reset();
    if (ended)
      text_ended();
    else
      set_aside(std::move(rest));
  }
}

void responder::answer(const text_part::request& request, const std::shared_ptr<text_answers>& to) {
  const auto* object = request.content.if_object();
  const auto* method = object != nullptr ? object->if_contains("method") : nullptr;
  const auto* id = object != nullptr ? object->if_contains("id") : nullptr;
  const bool id_fits = id == nullptr || id->is_null() || id->is_string() || id->is_number();
  const bool named = method != nullptr && method->is_string();
  const bool is_call =
      named && (method->get_string() == "eth_call" || method->get_string() == "eth_estimateGas");
  reply answer{to, request.place, id == nullptr || !id_fits ? json::value(nullptr) : *id, id == nullptr,
               is_call};
  if (!named || !id_fits)
    return to->put(request.place, response_text(answer.id, fail(rpc_errc::invalid_request,
                                                                "a request has a method and an id")));
  const std::string_view name(method->get_string().data(), method->get_string().size());
  if (watcher_) answer.told = watcher_(name);
  if (auto admitted = to->admitted(now_); !admitted) return answer(tl::unexpected(admitted.error()), now_);
  const auto* given = object->if_contains("params");
  if (given != nullptr && !given->is_array() && !given->is_null())
    return answer(fail(rpc_errc::invalid_params, "params must be an array"), now_);
  const json::array none;
  const params values(given != nullptr && given->is_array() ? given->get_array() : none);
  work_ = cost::request;
  const auto& may_read = to->from().may_read;
  const auto may = may_read && !is_for_everybody(name, values) ? may_read() : result<>{};
  if (may) {
    run(name, values, answer);
  } else {
    if (to->from().reading_refused) to->from().reading_refused(may.error().message);
    answer(tl::unexpected(may.error()), now_);
  }
  to->charge(work_, now_);
  count(to->from(), work_);
}

void responder::count(const caller& by, std::uint64_t units) {
  slice_ += units;
  const bool others_wait = charge_turn(by.of(), units);
  if (auto notice = shares_.note(by, units, others_wait, now_)) notices_.push_back(std::move(*notice));
}

} // namespace swarm::rpc
