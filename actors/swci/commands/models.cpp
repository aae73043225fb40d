// Merged models and their proofs, as files in the user folder.
#include "actors/sl/files/targets.hpp"
#include "actors/sn/proofs/proof_json.hpp"
#include "actors/swci/commands/groups.hpp"
#include "actors/swci/commands/host_files.hpp"
#include "actors/swci/commands/merges.hpp"
#include "actors/swci/commands/reads.hpp"
#include "base/file.hpp"
#include "contracts/training/client.hpp"
#include "merge/store/model_part.hpp"

#include <algorithm>

namespace swarm::swci {

namespace fs = std::filesystem;
using contracts::peer_view;

namespace {

constexpr std::uint64_t bytes_per_mark = 64 * 1024 * 1024;
constexpr std::size_t failures_bytes_max = 600;
constexpr unsigned file_mode = 0664;

/// Where to write. Scripts and profiles stay as they are: what is there already is replaced when it is such a
/// file.
result<fs::path> target_of(const command_world& world, const std::string& inside, std::string_view ending) {
  SWARM_TRY(auto real, new_inside(world.folder, inside));
  std::error_code failure;
  const auto there = fs::symlink_status(real, failure);
  if (fs::exists(there) && (!fs::is_regular_file(there) || real.extension() != ending))
    return fail(errc::conflict, "{} is there already, and is no {} file", user_folder::shown(inside), ending);
  return real;
}

/// The endpoints of all peers, first of those that are likeliest to have the model.
result<std::vector<std::string>> endpoints_of(network& sns, const address& training,
                                              const std::vector<address>& first) {
  SWARM_TRY(auto peers, read_pages(sns, training, contracts::page_entries_max, [](std::size_t from) {
              return contracts::peers_args{from, contracts::page_entries_max};
            }));
  std::ranges::stable_sort(peers, {}, [&](const peer_view& peer) {
    return std::ranges::find(first, peer.account) - first.begin();
  });
  std::vector<std::string> out;
  for (const auto& peer : peers)
    if (!peer.endpoint.empty() && std::ranges::find(out, peer.endpoint) == out.end())
      out.push_back(peer.endpoint);
  return out;
}

/// Puts a model together from what nodes serve, none of whom is believed: every chunk is checked.
class download {
public:
  download(command_world& world, const merged_model& model, merge::model_store& store)
      : world_(world), model_(model), store_(store) {}

  result<> run(const std::vector<std::string>& endpoints) {
    std::string failures;
    for (const auto& each : endpoints) {
      const auto done = from(each);
      if (done || world_.stop.stop_requested()) return done;
      if (failures.size() < failures_bytes_max)
        failures += fmt::format("; {}: {}", each, done.error().message);
    }
    return fail(errc::unavailable,
                "no peer serves the model of round {} now{}: SLs keep the models of their last "
                "rounds, as long as they run",
                model_.round_num, failures);
  }

private:
  result<> from(const std::string& where) {
    SWARM_TRY(const auto node, endpoint::parse(where));
    if (!assembler_) SWARM_CHECK(begin(node));
    assembler_->restart_chunk();
    SWARM_CHECK(
        world_.fetch(node, {actors::model_target(model_.digest), assembler_->next_offset(), model_.block_num},
                     [this](bytes_view piece) { return take(piece); }));
    SWARM_CHECK(assembler_->check_complete());
    SWARM_TRY(const auto file, part_->finish());
    return store_.make_durable(file->digest());
  }

  result<> begin(const endpoint& node) {
    const auto size_max = merge::manifest_encoded_size(model_.size);
    bytes raw;
    SWARM_CHECK(world_.fetch(node, {actors::manifest_target(model_.digest), 0, model_.block_num},
                             [&](bytes_view piece) -> result<> {
                               if (piece.size() > size_max - raw.size())
                                 return fail(errc::corrupt, "its manifest is too long");
                               raw.insert(raw.end(), piece.begin(), piece.end());
                               return {};
                             }));
    SWARM_TRY(auto manifest, merge::manifest::decode(raw));
    if (manifest.digest() != model_.digest || manifest.size != model_.size)
      return fail(errc::corrupt, "its file does not match the digest {}", to_hex(model_.digest.view()));
    SWARM_TRY(part_, store_.part(std::move(manifest)));
    assembler_.emplace(part_);
    return {};
  }

  result<> take(bytes_view piece) {
    const auto before = assembler_->next_offset() / bytes_per_mark;
    SWARM_CHECK(assembler_->feed(piece));
    if (assembler_->next_offset() / bytes_per_mark != before) world_.waits();
    return {};
  }

  command_world& world_;
  const merged_model& model_;
  merge::model_store& store_;
  std::shared_ptr<merge::model_part> part_;
  std::optional<merge::assembler> assembler_;
};

/// A folder beside the file that is to come, so that the file needs only a new name in the end.
class part_folder {
public:
  explicit part_folder(const fs::path& file)
      : path_(file.parent_path() / ("." + file.filename().native() + ".part")) {}
  ~part_folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  part_folder(const part_folder&) = delete;
  part_folder& operator=(const part_folder&) = delete;

  const fs::path& path() const { return path_; }

private:
  fs::path path_;
};

result<> save(command_world& world, const merged_model& model, const std::vector<std::string>& endpoints,
              const fs::path& file) {
  const part_folder part(file);
  std::error_code failure;
  if (fs::is_symlink(fs::symlink_status(part.path(), failure)))
    return fail(errc::denied, "{} is a link: nothing is written through it", part.path().native());
  SWARM_TRY(auto store, merge::model_store::open_directory(part.path().native()));
  SWARM_CHECK(download(world, model, store).run(endpoints));
  const auto made = part.path() / (to_hex(model.digest.view(), false) + ".safetensors");
  fs::permissions(made, static_cast<fs::perms>(file_mode), failure);
  SWARM_CHECK(rename_file(made, file));
  return sync_folder(file.parent_path());
}

} // namespace

result<merged_model> find_merge(network& sns, const std::string& contract,
                                std::optional<std::uint64_t> wanted) {
  SWARM_TRY(const auto training, find_training(sns, contract));
  SWARM_TRY(const auto newest, sns.ask({{"eth_blockNumber", {}}}));
  SWARM_TRY(const auto block_num, session::quantity_of(newest.front()));
  SWARM_TRY(const auto head, read(sns, training, contracts::head_args{}));
  const auto round_num = wanted.value_or(head.merged_round);
  if (head.merged_round == 0) return fail(errc::not_found, "nothing is merged under '{}' yet", contract);
  SWARM_TRY(const auto merge, read(sns, training, contracts::merge_of_args{round_num}));
  if (merge.round_num == 0)
    return fail(errc::not_found, "'{}' has no merge of round {}: the newest is that of round {}", contract,
                round_num, head.merged_round);
  merged_model out{merge.round_num, merge.digest, merge.size, {merge.leader}, block_num};
  out.holders.insert(out.holders.end(), merge.contributors.begin(), merge.contributors.end());
  return out;
}

result<std::string> merge_proof(network& sns, const std::string& contract, std::uint64_t round_num) {
  SWARM_TRY(const auto responses, sns.ask({{"swarm_proveMerge", {contract, round_num}}}));
  SWARM_TRY(const auto* said, session::result_of(responses.front()));
  const auto text = boost::json::serialize(*said);
  SWARM_TRY(const auto proof, proofs::read_proof(text));
  const auto holds = contracts::verify_merge_proof(proof, {{}, proof.chain.genesis_hash});
  if (!holds) return fail_with(holds.error(), "the SN's proof does not hold");
  if (proof.contract != contract || proof.round_num != round_num)
    return fail(errc::corrupt, "the SN proves round {} of '{}' instead", proof.round_num, proof.contract);
  return text + '\n';
}

outcome run(const commands::get_model& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto file, target_of(world, what.file, ".safetensors"));
  SWARM_TRY(const auto model, find_merge(*sns, what.contract, what.round_num));
  SWARM_TRY(const auto endpoints,
            endpoints_of(*sns, contracts::training_address(what.contract), model.holders));
  SWARM_CHECK(save(world, model, endpoints, file));
  return answers::model_saved{what.contract, model.round_num, user_folder::shown(what.file),
                              to_hex(model.digest.view()), model.size};
}

outcome run(const commands::prove_merge& what, command_world& world) {
  SWARM_TRY(auto* sns, network_of(world));
  SWARM_TRY(const auto file, target_of(world, what.file, ".json"));
  SWARM_TRY(const auto text, merge_proof(*sns, what.contract, what.round_num));
  SWARM_CHECK(replace_file(file, as_bytes(text), file_mode));
  return answers::proof_saved{what.contract, what.round_num, user_folder::shown(what.file), text.size()};
}

} // namespace swarm::swci
