#include "tools/swarm-inspect/model.hpp"

#include "actors/sl/kept/kept_merges.hpp"
#include "base/file.hpp"
#include "merge/model/manifest.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <set>

namespace swarm::inspect {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

/// A kept merge and the file that its model should be in.
struct candidate {
  actors::kept_merge merge;
  fs::path file;
};

/// Of every SL of the process, the newest last.
std::vector<candidate> find_all(const fs::path& data_dir) {
  std::vector<fs::path> folders{data_dir};
  std::error_code failed;
  for (auto it = fs::directory_iterator(data_dir, failed); !failed && it != fs::directory_iterator();
       it.increment(failed)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) folders.push_back(it->path());
  }
  std::ranges::sort(folders);
  std::vector<candidate> out;
  for (const auto& folder : folders)
    for (auto& merge : actors::read_kept_merges(folder)) {
      auto file = folder / "models" / (to_hex(merge.digest.view(), false) + ".safetensors");
      std::error_code ignored;
      if (fs::exists(file, ignored)) out.push_back({std::move(merge), std::move(file)});
    }
  return out;
}

/// Which rounds are kept, for a person.
std::string rounds_of(const std::vector<candidate>& all, const std::string& contract) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> rounds;
  std::set<std::string> others;
  for (const auto& [merge, file] : all) {
    if (merge.training == contract)
      rounds.emplace(merge.generation, merge.round_num);
    else
      others.insert(merge.training);
  }
  std::string out;
  for (const auto& [generation, round_num] : rounds)
    out += fmt::format("{}{} (generation {})", out.empty() ? "" : ", ", round_num, generation);
  if (!out.empty()) return "kept are those of round " + out;
  for (const auto& name : others)
    out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "no merge of any training is kept there" : "merges are kept there of " + out;
}

/// What the chain has; `why` says why it was not asked with success.
struct chain_word {
  std::optional<std::uint64_t> generation;
  std::uint64_t round_num = 0;
  std::string digest;
  std::string why;
};

chain_word ask_chain(const model_request& request, const chain_question& ask) {
  const auto answer = ask({{"contract", request.contract}, {"round", request.round_num}});
  if (!answer) return {.why = answer.error().message};
  chain_word out;
  boost::system::error_code failed;
  const auto* object = answer->if_object();
  const auto* digest = object == nullptr ? nullptr : object->if_contains("digest");
  if (digest == nullptr || !digest->is_string()) return {.why = "it answers something else"};
  const auto number = [&](std::string_view name) -> std::uint64_t {
    const auto* value = object->if_contains(name);
    return value == nullptr ? 0 : value->to_number<std::uint64_t>(failed);
  };
  out.generation = number("generation");
  out.round_num = number("round");
  out.digest = std::string(digest->as_string());
  return out;
}

tl::unexpected<error> not_kept(const model_request& request, const std::vector<candidate>& all,
                               const std::string& what) {
  return fail(errc::not_found, "{}: the merge of round {} of '{}'{} is not kept; {}",
              request.data_dir.string(), request.round_num, request.contract, what,
              rounds_of(all, request.contract));
}

/// The one that is meant, by what the chain has of the round.
result<candidate> choose(const model_request& request, const std::vector<candidate>& all,
                         const chain_word& chain) {
  auto generation = request.generation ? request.generation : chain.generation;
  if (!generation)
    for (const auto& [merge, file] : all)
      if (merge.training == request.contract) generation = std::max(generation.value_or(0), merge.generation);
  for (auto it = all.rbegin(); it != all.rend(); ++it)
    if (it->merge.training == request.contract && it->merge.round_num == request.round_num
        && it->merge.generation == generation)
      return *it;
  return not_kept(request, all, generation ? fmt::format(" in generation {}", *generation) : "");
}

result<std::string> compare(const candidate& chosen, const chain_word& chain) {
  const auto& merge = chosen.merge;
  if (!chain.generation) return chain.why;
  if (*chain.generation != merge.generation)
    return fmt::format(
        "the training was reset since generation {}; `swarm-inspect proof --generation` has the digest",
        merge.generation);
  const auto digest = to_hex(merge.digest.view());
  if (chain.round_num != merge.round_num)
    return fail(errc::conflict,
                "the chain has no merge of round {} of '{}': it is not the chain on which {} was noted",
                merge.round_num, merge.training, digest);
  if (chain.digest != digest)
    return fail(errc::conflict,
                "the merge of round {} of '{}' that is kept has the digest {}, that on the chain {}",
                merge.round_num, merge.training, digest, chain.digest);
  return std::string();
}

/// A file in memory.
class mapped {
public:
  static result<mapped> open(const fs::path& path) {
    SWARM_TRY(const auto from, file::open(path, open_as::no_links));
    SWARM_TRY(const auto size, from.size());
    if (size == 0) return fail(errc::corrupt, "{}: it is empty", path.string());
    void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, from.fd(), 0);
    if (at == MAP_FAILED) return fail(errc::io, "{}: cannot be read", path.string());
    return mapped({static_cast<const std::uint8_t*>(at), size});
  }
  mapped(mapped&& from) noexcept : raw_(std::exchange(from.raw_, {})) {}
  mapped& operator=(mapped&&) = delete;
  ~mapped() {
    if (!raw_.empty()) ::munmap(const_cast<std::uint8_t*>(raw_.data()), raw_.size());
  }
  bytes_view raw() const { return raw_; }

private:
  explicit mapped(bytes_view raw) : raw_(raw) {}
  bytes_view raw_;
};

} // namespace

result<written_model> write_model(const model_request& request, const chain_question& ask) {
  const auto all = find_all(request.data_dir);
  if (std::ranges::none_of(all, [&](const auto& each) {
        return each.merge.training == request.contract && each.merge.round_num == request.round_num;
      }))
    return not_kept(request, all, "");
  const auto chain = ask_chain(request, ask);
  SWARM_TRY(const auto chosen, choose(request, all, chain));
  SWARM_TRY(auto not_compared, compare(chosen, chain));
  SWARM_TRY(const auto model, mapped::open(chosen.file));
  if (merge::make_manifest(model.raw()).digest() != chosen.merge.digest)
    return fail(
        errc::corrupt,
        "{}: it is damaged: its contents do not have the digest of its name; take the model from another SL",
        chosen.file.string());
  const auto write = request.force ? replace_file : create_file;
  if (auto done = write(request.output, model.raw(), 0600); !done) {
    if (done.error().is(file_errc::exists))
      return fail(errc::conflict, "{} exists: give another --out, or --force to replace it",
                  request.output.string());
    return tl::unexpected(std::move(done).error());
  }
  return written_model{request.output, chosen.merge.generation, to_hex(chosen.merge.digest.view()),
                       model.raw().size(), std::move(not_compared)};
}

json::object to_json(const written_model& written) {
  return {{"file", written.file.string()},
          {"generation", written.generation},
          {"digest", written.digest},
          {"size", written.size},
          {"compared", written.not_compared.empty()},
          {"why", written.not_compared}};
}

std::string model_view(const model_request& request, const written_model& written) {
  return fmt::format(
      "{}: the merge of round {} of '{}', generation {}, {} bytes\n{}, {}\n", written.file.string(),
      request.round_num, request.contract, written.generation, written.size, written.digest,
      written.not_compared.empty()
          ? std::string("as the chain has it")
          : fmt::format("as this node noted it; the chain was not asked: {}", written.not_compared));
}

} // namespace swarm::inspect
