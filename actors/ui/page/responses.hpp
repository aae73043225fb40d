#pragma once

#include "actors/ui/gate/request_gate.hpp"
#include "actors/ui/page/page_files.hpp"
#include "transport/http/http.hpp"

/// What the page's server answers. Every answer has the headers by which browsers keep other sites out.
namespace swarm::ui {

inline constexpr std::string_view how_to_log_in =
    "You are not logged in. Open the link that swarmd has printed, or the one in the file 'login' of its "
    "data directory; "
    "or show a certificate that may look at this page (--ui-reader, --ui-operator).";
inline constexpr std::string_view used_link = "This link has been used, or is not the one. The next one is "
                                              "in the file 'login' of swarmd's data directory.";

transport::http_response text_answer(unsigned status, std::string_view text);
transport::http_response refusal_response(const refused_request& why);
transport::http_response file_response(const page_file& file);
/// A model of this folder (model_files.hpp), or a part of it.
transport::http_response model_response(const transport::http_request& request,
                                        const std::filesystem::path& folder, const hash32& digest);
/// Sets the cookie and leads to the page.
transport::http_response login_response(std::string_view cookie_name, std::string_view cookie,
                                        std::uint64_t life_seconds);
transport::http_response logout_response(std::string_view cookie_name);

/// The token in /login?token=T; empty: there is none.
std::string_view token_of(std::string_view target);

} // namespace swarm::ui
