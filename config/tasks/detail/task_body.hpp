#pragma once

#include "config/schema/value.hpp"
#include "config/tasks/task.hpp"

namespace swarm::tasks::detail {

/// The body of a task from a value that fits its schema.
task_body read_body(task_type type, const schema::value& from);
/// The way back.
schema::value body_value(const task_body& body);

} // namespace swarm::tasks::detail
