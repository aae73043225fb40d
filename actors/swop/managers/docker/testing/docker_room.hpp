#pragma once

#include "actors/swop/managers/docker/docker_manager.hpp"
#include "actors/swop/managers/docker/testing/real_engine.hpp"
#include "actors/swop/managers/testing/manager_room.hpp"

namespace swarm::managers::testing {

/// A manager of containers with an engine of its own.
class docker_room final : public manager_room {
public:
  explicit docker_room(engine::testing::real_engine& on, std::string owner = "test-owner");
  ~docker_room() override;

  void restart() override;
  program_spec shell(std::string command, std::string name = "p") const override;
  program_spec words(std::vector<std::string> argv, std::string name = "p") const override;
  const std::filesystem::path& where() const override { return folder_.path(); }
  engine::client& client() { return *client_; }

private:
  swarm::testing::temporary_folder folder_;
  std::shared_ptr<engine::client> client_;
  std::string owner_, image_;
};

} // namespace swarm::managers::testing
