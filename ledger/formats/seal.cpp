#include "ledger/formats/seal.hpp"

#include "base/hash.hpp"

namespace swarm::ledger {

namespace {

constexpr std::string_view seal_domain = "swarm commit seal";
constexpr std::uint64_t record_version = 1;
constexpr std::size_t record_size_max = 64 + seals_max * 67;

} // namespace

hash32 seal_digest(std::uint64_t chain_id, const hash32& genesis_hash, const hash32& block_hash,
                   std::uint64_t round_num) {
  rlp_writer out(128);
  out.begin_list().string(as_bytes(seal_domain)).number(chain_id).string(genesis_hash.view());
  out.string(block_hash.view()).number(round_num).end_list();
  return keccak256(out.take());
}

bytes encode_seals(const seal_record& record) {
  rlp_writer out(32 + record.seals.size() * 67);
  out.begin_list().number(record_version).number(record.round_num).begin_list();
  for (const auto& seal : record.seals)
    out.string(seal.signature.view());
  return out.end_list().end_list().take();
}

namespace {

result<seal_record> read_seals(rlp_reader from) {
  SWARM_TRY(const std::uint64_t version, from.number("version"));
  if (version != record_version)
    return fail(seal_errc::malformed, "seal record: version {}, this program reads version {}", version,
                record_version);
  seal_record out;
  SWARM_TRY(out.round_num, from.number("round"));
  if (out.round_num > round_num_max)
    return fail(seal_errc::round_too_large, "seal record: round {}, at most {} is believed", out.round_num,
                round_num_max);
  SWARM_TRY(rlp_reader seals, from.list("seals"));
  while (!seals.at_end()) {
    if (out.seals.size() == seals_max)
      return fail(seal_errc::too_many, "seal record: over {} seals", seals_max);
    SWARM_TRY(const auto signature, seals.fixed<65>("seal"));
    out.seals.push_back({signature});
  }
  SWARM_CHECK(from.finish());
  return out;
}

} // namespace

result<seal_record> decode_seals(bytes_view raw) {
  SWARM_TRY(const rlp_reader from, rlp_reader::open(raw, "seal record", record_size_max));
  return read_seals(from);
}

result<seal_record> decode_seals(const rlp_item& item) {
  SWARM_TRY(const rlp_reader from, rlp_reader::open(item, "seal record"));
  return read_seals(from);
}

hash32 hash_of_seals(const seal_record& record) {
  return keccak256(encode_seals(record));
}

result<std::vector<address>> check_seals(const seal_record& record, const hash32& digest,
                                         std::span<const address> validators, std::size_t quorum,
                                         const author_recovery& recover_author) {
  // This comes before any signature is recovered, so that a flood of seals causes no work.
  if (record.seals.size() > validators.size())
    return fail(seal_errc::too_many, "seals: {} of {} validators", record.seals.size(), validators.size());
  if (record.seals.size() < quorum)
    return fail(seal_errc::below_quorum, "seals: {}, a quorum is {}", record.seals.size(), quorum);
  std::vector<address> authors;
  for (const auto& seal : record.seals) {
    SWARM_TRY(const address author, recover_author(digest, seal.signature));
    if (std::find(validators.begin(), validators.end(), author) == validators.end())
      return fail(seal_errc::not_a_validator, "seals: {} is not a validator of this block",
                  to_hex(author.view()));
    if (std::find(authors.begin(), authors.end(), author) != authors.end())
      return fail(seal_errc::duplicate_author, "seals: {} sealed twice", to_hex(author.view()));
    authors.push_back(author);
  }
  return authors;
}

} // namespace swarm::ledger
