#pragma once

#include "actors/swop/managers/testing/manager_room.hpp"

namespace swarm::managers::testing {

// What every manager promises: each is one test, in a room of its own. The tests of the managers call them.

void says_with_what_a_program_ended(manager_room& room);
void has_one_program_of_each_name(manager_room& room);
void leaves_nothing_of_what_cannot_be_started(manager_room& room);
void stops_by_asking_and_then_by_force(manager_room& room);
void is_outlived_by_its_programs(manager_room& room);
void ends_programs_at_their_deadline(manager_room& room);
void keeps_what_was_written_last(manager_room& room);
void mounts_what_exists_and_may_be_seen(manager_room& room);

} // namespace swarm::managers::testing
