#pragma once

#include "config/schema/json_schema.hpp"

#include <string_view>

namespace swarm::schema {

/// The schema of task files: its text, as config/schema/task.schema.json has it, and ready for use.
std::string_view task_schema_text();
const json_schema& task_schema();

/// The schema of SWOP profiles, config/schema/swop-profile.schema.json.
std::string_view swop_profile_schema_text();
const json_schema& swop_profile_schema();

/// The schema of --members files, config/schema/members.schema.json.
std::string_view members_schema_text();
const json_schema& members_schema();

/// The schema of the files that policyuri of a SWOP profile names, config/schema/task-policy.schema.json.
std::string_view task_policy_schema_text();
const json_schema& task_policy_schema();

} // namespace swarm::schema
