#include "actors/swop/managers/kubernetes/pods.hpp"

#include "actors/swop/managers/docker/engine/detail/caller.hpp"

#include <algorithm>
#include <array>
#include <csignal>

namespace swarm::kubernetes {

using engine::detail::array_at;
using engine::detail::number_at;
using engine::detail::object_at;
using engine::detail::one_line;
using engine::detail::time_of;
using managers::ending;
using managers::ending_cause;
using managers::manager_errc;
using managers::program;
using managers::program_phase;

namespace {

/// Container runtimes tell 128 and the number of a signal that ended a program.
constexpr int signal_base = 128, signals_max = 64;

std::string words_at(const json::object& in, std::string_view key) {
  return one_line(engine::detail::text_at(in, key));
}

container_facts read_container(const json::object& from) {
  container_facts out;
  const auto& state = object_at(from, "state");
  if (const auto& runs = object_at(state, "running"); state.contains("running")) {
    out.runs = true;
    out.started_ms = time_of(words_at(runs, "startedAt"));
  } else if (const auto& ended = object_at(state, "terminated"); state.contains("terminated")) {
    out.ended = true;
    out.exit_code = static_cast<int>(std::clamp<std::int64_t>(number_at(ended, "exitCode"), 0, 255));
    out.signal = static_cast<int>(std::clamp<std::int64_t>(number_at(ended, "signal"), 0, signals_max));
    out.started_ms = time_of(words_at(ended, "startedAt"));
    out.ended_ms = time_of(words_at(ended, "finishedAt"));
    out.reason = words_at(ended, "reason");
    out.message = words_at(ended, "message");
  } else {
    const auto& waits = object_at(state, "waiting");
    out.reason = words_at(waits, "reason");
    out.message = words_at(waits, "message");
  }
  return out;
}

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

/// A runtime's words for a program that it did not find or may not execute.
bool says_no_command(std::string_view text) {
  constexpr std::array<std::string_view, 4> words{"executable file not found", "no such file or directory",
                                                  "permission denied", "is a directory"};
  return std::ranges::any_of(words, [&](auto each) { return text.find(each) != std::string_view::npos; });
}

bool never_ran(const container_facts& one) {
  constexpr std::array<std::string_view, 4> reasons{"StartError", "ContainerCannotRun", "RunContainerError",
                                                    "CreateContainerError"};
  return is_one_of(one.reason, reasons);
}

/// How the pod itself ended, where its container cannot say it.
ending how_it_was_cut(const pod_facts& pod, bool told, bool ran) {
  if (told) return {.cause = ending_cause::told, .message = "with its pod"};
  const auto where = pod.node.empty() ? std::string() : fmt::format(" on the node {}", pod.node);
  std::string why;
  if (!pod.reason.empty())
    why = fmt::format("the cluster has ended its pod{}: {}: {}", where, pod.reason, pod.message);
  else
    why = fmt::format("its pod{} is gone; somebody deleted it, or the node went down", where);
  return {.cause = ran ? ending_cause::lost : ending_cause::not_started, .message = std::move(why)};
}

ending how_it_ended(const container_facts& one, const pod_facts& pod, bool told) {
  ending out{.cause = told ? ending_cause::told : ending_cause::itself};
  if (never_ran(one))
    return {.cause = says_no_command(one.message) ? ending_cause::no_such_command : ending_cause::not_started,
            .message = fmt::format("{}: {}", one.reason, one.message)};
  if (one.signal > 0)
    out.signal = one.signal;
  else if (one.exit_code > signal_base && one.exit_code <= signal_base + signals_max)
    out.signal = one.exit_code - signal_base;
  else
    out.exit_code = one.exit_code;
  out.message = one.message;
  if (one.reason == "OOMKilled") {
    out.cause = ending_cause::out_of_memory;
  } else if (pod.reason == "DeadlineExceeded") {
    out.cause = ending_cause::deadline;
  } else if (!told && one.exit_code != 0 && (pod.is_ending || !pod.reason.empty())) {
    // Who ends a pod sends the same signal as this manager does.
    auto cut = how_it_was_cut(pod, false, true);
    out.cause = cut.cause;
    out.message = std::move(cut.message);
  }
  return out;
}

} // namespace

bool pod_facts::all_started() const {
  return !containers.empty() && std::ranges::all_of(containers, [](const auto& each) {
    return each.second.runs || (each.second.ended && !never_ran(each.second));
  });
}

pod_facts read_pod(const json::object& from) {
  const auto& meta = object_at(from, "metadata");
  const auto& spec = object_at(from, "spec");
  const auto& status = object_at(from, "status");
  pod_facts out{.name = words_at(meta, "name"),
                .job = words_at(object_at(meta, "labels"), job_label),
                .node = words_at(spec, "nodeName"),
                .phase = words_at(status, "phase"),
                .reason = words_at(status, "reason"),
                .message = words_at(status, "message"),
                .waits_for = {},
                .is_ending = meta.contains("deletionTimestamp"),
                .containers = {}};
  for (const auto& each : array_at(spec, "containers"))
    if (each.is_object()) out.containers[words_at(each.get_object(), "name")];
  for (const auto& each : array_at(status, "containerStatuses"))
    if (each.is_object())
      out.containers[words_at(each.get_object(), "name")] = read_container(each.get_object());
  for (const auto& each : array_at(status, "conditions")) {
    if (!each.is_object()) continue;
    const auto& one = each.get_object();
    if (words_at(one, "type") == "PodScheduled" && words_at(one, "status") == "False")
      out.waits_for = words_at(one, "message");
    // Newer clusters say here who ends a pod: an eviction, a node that is gone.
    if (words_at(one, "type") == "DisruptionTarget" && words_at(one, "status") == "True"
        && out.reason.empty()) {
      out.reason = words_at(one, "reason");
      out.message = words_at(one, "message");
    }
  }
  return out;
}

std::string failure_of_job(const json::object& job) {
  for (const auto& each : array_at(object_at(job, "status"), "conditions"))
    if (each.is_object() && words_at(each.get_object(), "type") == "Failed"
        && words_at(each.get_object(), "status") == "True")
      return fmt::format("its Job has failed: {}: {}", words_at(each.get_object(), "reason"),
                         words_at(each.get_object(), "message"));
  return {};
}

program program_in(const std::string& name, std::string_view container, const pod_facts& pod, bool told) {
  program out{.name = name};
  const auto found = pod.containers.find(container);
  const auto one = found == pod.containers.end() ? container_facts{} : found->second;
  out.started_ms = one.started_ms;
  if (one.ended) {
    out.phase = program_phase::ended;
    out.ended_ms = one.ended_ms;
    out.how = how_it_ended(one, pod, told);
    return out;
  }
  // Until it is gone a node may still tell how it ended.
  if (pod.is_gone || (pod.phase == "Failed" && !one.runs)) {
    out.phase = program_phase::ended;
    out.how = how_it_was_cut(pod, told, one.runs);
    return out;
  }
  out.phase = one.runs ? program_phase::running : program_phase::starting;
  return out;
}

std::optional<error> trouble_of(const pod_facts& pod, std::string_view container) {
  constexpr std::array<std::string_view, 5> no_image{"ErrImagePull", "ImagePullBackOff", "InvalidImageName",
                                                     "ErrImageNeverPull", "ImageInspectError"};
  const auto found = pod.containers.find(container);
  if (found == pod.containers.end() || found->second.runs) return std::nullopt;
  const auto& one = found->second;
  if (is_one_of(one.reason, no_image))
    return make_error(manager_errc::image_missing,
                      fmt::format("the image of {} cannot be had by the node {}: {}: {}", container, pod.node,
                                  one.reason, one.message));
  if (never_ran(one))
    return make_error(says_no_command(one.message) ? manager_errc::no_such_command
                                                   : manager_errc::not_started,
                      fmt::format("{} cannot be started: {}", container, one.message));
  if (one.reason == "CreateContainerConfigError")
    return make_error(manager_errc::not_started,
                      fmt::format("{} cannot be started: {}", container, one.message));
  return std::nullopt;
}

std::optional<error> trouble_of(const pod_facts& pod) {
  for (const auto& [name, facts] : pod.containers)
    if (auto why = trouble_of(pod, name)) return why;
  return std::nullopt;
}

std::vector<own_volume> volumes_in(const json::object& own_pod) {
  std::vector<own_volume> out;
  const auto& spec = object_at(own_pod, "spec");
  for (const auto& container : array_at(spec, "containers")) {
    if (!container.is_object()) continue;
    for (const auto& each : array_at(container.get_object(), "volumeMounts")) {
      if (!each.is_object()) continue;
      const auto name = words_at(each.get_object(), "name");
      for (const auto& volume : array_at(spec, "volumes")) {
        if (!volume.is_object() || words_at(volume.get_object(), "name") != name) continue;
        auto source = volume.get_object();
        source.erase("name");
        // A pod's own folder is nobody else's.
        if (source.contains("emptyDir") || source.contains("projected")) continue;
        out.push_back({words_at(each.get_object(), "mountPath"), std::move(source),
                       words_at(each.get_object(), "subPath")});
      }
    }
  }
  return out;
}

} // namespace swarm::kubernetes
