#pragma once

#include "base/bytes.hpp"

#include <boost/json.hpp>

#include <string>

/// Fields of what an SN answers, which is not proved: what is missing, or of another kind, is nothing.
namespace swarm::ui {

const boost::json::value* field_of(const boost::json::value& from, std::string_view key);
std::string text_in(const boost::json::value& from, std::string_view key);
/// In 0x form.
std::uint64_t number_in(const boost::json::value& from, std::string_view key);
std::uint64_t plain_number_in(const boost::json::value& from, std::string_view key);
hash32 hash_in(const boost::json::value& from, std::string_view key);
address account_in(const boost::json::value& from, std::string_view key);

} // namespace swarm::ui
