"""A registry of images on this host, with a password: Debian's docker-registry."""

import base64
import json
import pathlib
import shutil

from launcher.processes import Process, free_port, until

USER, PASSWORD = "swarm", "two words"
# What `htpasswd -B` makes of them.
ENTRY = "swarm:$2y$04$OG21/X3HYFC84Jbvbpc9rOfjiF7s29h4/22EsIJXW0CpV3xZUc14K\n"


def why_no_registry():
    return "" if shutil.which("docker-registry") else "no registry: install the package docker-registry"


class Registry(Process):
    def __init__(self, folder):
        home = pathlib.Path(folder) / "registry"
        home.mkdir()
        self.address = f"127.0.0.1:{free_port()}"
        (home / "htpasswd").write_text(ENTRY)
        settings = {
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": str(home / "data")}},
            "http": {"addr": self.address},
            "auth": {"htpasswd": {"realm": "test", "path": str(home / "htpasswd")}},
        }
        (home / "config.yml").write_text(json.dumps(settings))  # which is YAML too
        super().__init__("registry", ["docker-registry", "serve", home / "config.yml"], home)

    def start(self):
        super().start()
        until(lambda: "listening on" in self.log(), "the registry to listen", alive=[self])
        return self

    def take(self, engine, image, name):
        """Has the engine push an image; gives the name by which it is pulled."""
        name = f"{self.address}/{name}"
        repository, _, tag = name.rpartition(":")
        engine.call("POST", f"/images/{image}/tag?repo={repository}&tag={tag}")
        login = json.dumps({"username": USER, "password": PASSWORD}).encode()
        answer = engine.call(
            "POST",
            f"/images/{repository}/push?tag={tag}",
            headers={"X-Registry-Auth": base64.urlsafe_b64encode(login).decode()},
        )
        lines = answer if isinstance(answer, list) else [answer]
        assert not any("error" in line for line in lines), lines
        engine.call("DELETE", f"/images/{name}?force=0")
        return name

    def config_json(self, file, password=PASSWORD):
        """A config.json of docker with a password."""
        pair = base64.b64encode(f"{USER}:{password}".encode()).decode()
        file.write_text(json.dumps({"auths": {self.address: {"auth": pair}}}))
        return file
