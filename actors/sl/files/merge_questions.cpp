#include "actors/sl/files/merge_questions.hpp"

#include "actors/supervision/exit_reason.hpp"
#include "contracts/training/client.hpp"

#include <boost/json.hpp>

namespace swarm::actors {

namespace json = boost::json;

result<session::event::ask> merge_questions::ask(const std::string& params, std::string asker, promise reply,
                                                 time_point now) {
  if (waiting_.size() >= waiting_max) return fail(errc::limit, "too many ask for merges of the chain");
  boost::system::error_code failed;
  const auto value = json::parse(params, failed);
  const auto* from = failed ? nullptr : value.if_object();
  const auto* contract = from == nullptr ? nullptr : from->if_contains("contract");
  const auto* round = from == nullptr ? nullptr : from->if_contains("round");
  if (contract == nullptr || !contract->is_string()
      || !contracts::is_training_name(std::string(contract->as_string())))
    return fail(errc::invalid, "params.contract is missing: the name of a training contract");
  if (round == nullptr || !round->is_int64() || round->as_int64() < 1)
    return fail(errc::invalid, "params.round is missing: the number of a merged round");
  waiting question{std::string(contract->as_string()), static_cast<std::uint64_t>(round->as_int64()),
                   std::move(reply), now};
  const auto training = contracts::training_address(question.training);
  std::vector<session::rpc_call> calls{
      session::eth_call(training, contracts::encode_head()),
      session::eth_call(training, contracts::encode(contracts::merge_of_args{question.round_num}))};
  const auto id = ++next_id_;
  waiting_.emplace(id, std::move(question));
  return session::event::ask{id, std::move(calls), std::move(asker)};
}

result<std::string> merge_questions::answer_to(const waiting& question,
                                               const session::action::answered& from) {
  if (!from.responses) return tl::unexpected(from.responses.error());
  if (from.responses->size() != 2) return fail(errc::invalid, "the SN answers another question");
  SWARM_TRY(const auto head_output, session::output_of((*from.responses)[0]));
  if (head_output.empty())
    return fail(errc::not_found, "the chain has no training contract '{}'", question.training);
  SWARM_TRY(const auto head, contracts::decode_head(head_output));
  SWARM_TRY(const auto output, session::output_of((*from.responses)[1]));
  SWARM_TRY(const auto merge, contracts::decode_answer<contracts::merge_of_args>(output));
  json::object out{{"contract", question.training},
                   {"generation", head.generation},
                   {"round", merge.round_num},
                   {"digest", to_hex(merge.digest.view())},
                   {"size", merge.size}};
  return json::serialize(out);
}

bool merge_questions::take(const session::action::answered& from) {
  auto found = waiting_.extract(from.id);
  if (found.empty()) return false;
  auto answer = answer_to(found.mapped(), from);
  if (answer)
    found.mapped().reply.deliver(std::move(*answer));
  else
    found.mapped().reply.deliver(to_caf(answer.error()));
  return true;
}

void merge_questions::tick(time_point now) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto& question = at->second;
    if (now - question.since < answer_max) {
      ++at;
      continue;
    }
    question.reply.deliver(to_caf(make_error(errc::unavailable, "no SN answers")));
    at = waiting_.erase(at);
  }
}

} // namespace swarm::actors
