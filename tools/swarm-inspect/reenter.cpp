#include "tools/swarm-inspect/reenter.hpp"

#include "actors/node/key_file.hpp"
#include "ledger/consensus/reentry.hpp"
#include "ledger/store/block_store.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <vector>

namespace swarm::inspect {

namespace json = boost::json;

namespace {

bool is_of_sn(const std::filesystem::path& dir) {
  std::error_code ignored;
  return std::filesystem::is_directory(dir / "chain", ignored)
         && std::filesystem::exists(dir / "node.key", ignored);
}

/// The directory of the SN itself, which a process has below its own.
result<std::filesystem::path> folder_of_sn(const std::filesystem::path& data_dir) {
  if (is_of_sn(data_dir)) return data_dir;
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& one : std::filesystem::directory_iterator(data_dir, ignored))
    if (is_of_sn(one.path())) found.push_back(one.path());
  if (found.size() == 1) return found[0];
  if (found.size() > 1)
    return fail(errc::invalid, "{}: there are {} SNs in it; name the directory of one, as {}",
                data_dir.string(), found.size(), found[0].string());
  return fail(
      errc::not_found,
      "{}: not the data directory of an SN that has a chain; name it with --data-dir. If its chain is lost, "
      "start the SN, let it catch up with the others, and stop it again",
      data_dir.string());
}

result<consensus::reentry_place> read_place(const ledger::block_store& store) {
  SWARM_TRY(const auto identity, store.identity());
  SWARM_TRY(const auto head, store.head());
  if (!identity || !head)
    return fail(errc::not_found,
                "{}: there is no chain in it yet; start the SN, let it catch up with the others",
                store.dir().string());
  consensus::reentry_place out{{identity->chain_id, identity->genesis_hash}, head->block_num, head->hash, {}};
  for (const auto key : consensus::record_keys) {
    SWARM_TRY(auto value, store.record_of(key));
    if (value) out.stored.push_back({key, std::move(*value)});
  }
  return out;
}

} // namespace

result<consensus::reentry_statement> reenter(const reenter_request& request) {
  SWARM_TRY(const auto folder, folder_of_sn(request.data_dir));
  SWARM_TRY(const auto key, actors::load_key((folder / "node.key").string()));
  ledger::store_options options;
  options.dir = folder / "chain";
  SWARM_TRY(const auto store, ledger::block_store::open(std::move(options)));
  SWARM_TRY(const auto place, read_place(*store));
  SWARM_TRY(const auto records, consensus::records_of_reentry(place, consensus::make_signature_scheme(key),
                                                              request.block_num, request.round_num));
  SWARM_CHECK(store->write_records(records));
  const auto word = std::find_if(records.begin(), records.end(),
                                 [](const auto& e) { return e.key == consensus::record_key::reentry; });
  return consensus::decode_reentry(word->value);
}

std::string reenter_view(const consensus::reentry_statement& word) {
  return fmt::format(
      "validator {} votes again from block {} on, which follows {}, in round {} at the earliest.\n"
      "Start the SN: it listens to the others first, and votes if none of them has that block.\n",
      to_hex(word.account.view()), word.block_num, to_hex(word.parent_hash.view()), word.round_num);
}

json::object to_json(const consensus::reentry_statement& word) {
  return {{"account", to_hex(word.account.view())},
          {"block_num", word.block_num},
          {"parent_hash", to_hex(word.parent_hash.view())},
          {"round_num", word.round_num}};
}

} // namespace swarm::inspect
