#pragma once

#include "actors/supervision/machine/supervisor_machine.hpp"
#include "actors/supervision/role_actor.hpp"

#include <caf/typed_response_promise.hpp>

#include <set>

namespace swarm::actors {

/// How the process ends: the root supervisor writes it, `run_process` reads it.
class process_outcome {
public:
  struct data {
    bool ready = false;    ///< every child has been started once
    bool stopping = false; ///< the root has begun to stop its children
    bool ended = false;    ///< the root has ended
    bool gave_up = false;
    int code = 0;
    std::string reason; ///< why the root gave up, or the line of `end_process`
  };
  /// Changes the data under the lock, then calls `changed`.
  void update(const std::function<void(data&)>& change);
  data read() const;
  // Set before the root starts; called on the root's thread.
  std::function<void()> changed;
  std::function<void()> alive; ///< a sign of life, each `alive_every` unless that is zero
  std::chrono::microseconds alive_every{};

private:
  mutable std::mutex mutex_;
  data data_;
};

/// The shell of `supervisor_machine`: spawns, monitors, stops and kills children, keeps the directory.
class supervisor_actor final : public role_base {
public:
  /// Only the root is given an `outcome`.
  supervisor_actor(caf::actor_config& cfg, const start_context& ctx, supervisor_spec spec,
                   std::shared_ptr<process_outcome> outcome);

  void on_exit() override;

protected:
  caf::behavior make_handlers() override;
  bool ready_after_start() const override { return false; }
  std::string describe() const override;
  std::string describe_detail() const override;

private:
  struct child {
    child_spec spec;
    caf::actor handle;
    std::shared_ptr<probe> live;
    std::vector<caf::typed_response_promise<child_removed>> awaiting_removal;
    caf::typed_response_promise<child_added> awaiting_start; ///< of who has added it
  };

  void perform(const supervisor_machine::actions& actions);
  void perform_one(const supervisor_action& action);
  void start_child(child& c);
  void stop_child(child& c, const caf::error& reason);
  void child_forgotten(const std::string& name);
  void child_left_behind(const std::string& name);
  void child_ended(const std::string& name, const exit_info& how);
  void end(const exit_info& how);
  void handle_down(const caf::down_msg& down);
  void handle_exit(const caf::exit_msg& exit);
  void schedule_tick();
  caf::result<child_added> handle_add(const add_child& request);
  caf::result<child_removed> handle_remove(const remove_child& request);
  std::string child_path(std::string_view name) const;

  // The root only
  bool is_root() const { return outcome_ != nullptr; }
  void handle_end_role(const actors::end_role& request);
  void handle_end_process(const actors::end_process& request);
  void note_role_ended(const std::string& name, int code, const std::string& line);
  void end_when_all_roles_ended();
  void note_stopping();
  void children_ready();
  void show_life();

  supervisor_spec spec_;
  supervisor_machine machine_;
  std::map<std::string, child, std::less<>> children_;
  std::optional<time_point> next_tick_;
  std::shared_ptr<process_outcome> outcome_;
  std::set<std::string, std::less<>> ended_roles_;
};

/// Names of children and supervisors: [A-Za-z0-9._:-]+, at most 64 characters.
bool is_valid_name(std::string_view name);

} // namespace swarm::actors
