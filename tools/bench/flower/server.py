import json
import pathlib
import time

import numpy as np
from flwr.app import ArrayRecord
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg

app = ServerApp()


class Timed(FedAvg):
    begun = []

    def configure_train(self, *arguments):
        self.begun.append(time.monotonic())
        return super().configure_train(*arguments)


@app.main()
def main(grid, context):
    config = context.run_config
    strategy = Timed(fraction_train=1.0, fraction_evaluate=0.0, min_train_nodes=4, min_available_nodes=4)
    start = ArrayRecord([np.zeros(config["floats"], np.float32)])
    strategy.start(grid=grid, initial_arrays=start, num_rounds=config["rounds"] + 1)
    report = pathlib.Path(config["report"])
    report.with_suffix(".part").write_text(json.dumps(strategy.begun))
    report.with_suffix(".part").rename(report)
