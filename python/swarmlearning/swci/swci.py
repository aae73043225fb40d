"""The class that programs use. Its names are those of the original product, whose users' programs run unchanged."""

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, List, Optional, Sequence, Union

from .answers import DONE, Node, nodes_of, value_of, word
from .errors import SwciError
from .session import Session, as_error
from .topology import draw, png_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEFAULT_TASKRUNNER = "defaulttaskbb.taskdb.sml.hpe"
DEFAULT_CONTRACT = "defaultbb.cqdb.sml.hpe"
SHORT_POLL = 1.0  # seconds, for waits that are not the original's


class Swci(Session):
    """A SWCI that runs in web mode.

    swciIp: its address or name. Without certificates only a SWCI on this host is to be commanded, unless its operator
    chose otherwise.
    clientCert, clientPKey: PEM files of the certificate and key, or one file with both: then HTTPS is spoken.
    clientCABundle: the authorities (a file, or a folder of files) of which one must have signed the SWCI's
    certificate; without it, as with the original product, the SWCI's certificate is not looked at.
    enableCaching: what changes seldom (lists, infos, bodies) is asked once; what this object creates or deletes is
    asked for again, and `clearCache` forgets all.
    raiseErrors: a failed command raises `SwciError` instead of giving an empty list.
    timeout: seconds without a byte from the SWCI before a command counts as failed; None: however long it takes.

    Threads may share an object; a command waits until the one before it has ended.
    """

    # The session

    def ls(self, optStr: str = "") -> List[str]:
        """The files in the SWCI's folder; `optStr`: options and paths, such as "-l taskdefs".

        >>> s.ls("-l")
        [...]
        """
        return self._run(f"ls {optStr}" if optStr else "ls")

    def pwd(self) -> List[str]:
        """
        >>> s.pwd()
        ['/platform/swarm/usr']
        """
        return self._run("pwd")

    def cd(self, dirPath: str) -> List[str]:
        """
        >>> s.cd("/platform/swarm/usr")
        ['Current Directory : /platform/swarm/usr']
        """
        return self._run(f"cd {word(dirPath, 'dirPath')}")

    def sleep(self, sleepTime: float) -> List[str]:
        """The SWCI lets this many seconds pass.

        >>> s.sleep(0)
        ['OK']
        """
        return self._run(f"sleep {sleepTime}")

    # Contexts and nodes

    def createContext(
        self, ctxName: str, ip: Optional[str] = None, port: int = 30304, service: Optional[str] = None
    ) -> List[str]:
        """Connects with a network by one of its SNs, whose API is at `ip` and `port`, or behind a proxy at `service`.

        >>> s.createContext("testContext", ip=snServerName, port=snPort)
        ['API Server is UP!', 'CONTEXT CREATED : testContext']
        """
        if ip is None and service is None:
            raise SwciError("a context needs an ip or a service")
        sn = f"ip {word(ip, 'ip')} {int(port)}" if ip is not None else f"service {word(service, 'service')}"
        return self._change(f"create context {word(ctxName, 'ctxName')} with {sn}", "list contexts", "get context info")

    def switchContext(self, ctxName: str) -> List[str]:
        """
        >>> s.switchContext("testContext")
        ['DEFAULT CONTEXT SET TO : testContext']
        """
        return self._change(f"switch context {word(ctxName, 'ctxName')}", "")

    def getContextInfo(self, ctxName: str = "") -> List[str]:
        """
        >>> s.getContextInfo("testContext")
        ['CONTEXT      : testContext', 'SN           : ...', ...]
        """
        return self._run("get context info" + (" " + word(ctxName, "ctxName") if ctxName else ""), keep=True)

    def listContexts(self) -> List[str]:
        """
        >>> s.listContexts()
        ['CONTEXT...', 'testContext...']
        """
        return self._run("list contexts", keep=True)

    def listNodes(self) -> List[str]:
        """A header, then a line of seven columns for every SN, SL and SWOP that is alive.

        >>> s.listNodes()
        ['NodeType, HostIP, Port, ContainerName, UUID, ParentUUID, i-am-alive', 'SENTINEL, ...']
        """
        return self._run("list Nodes")

    def nodes(self) -> List[Node]:
        """The same, taken apart.

        >>> [node.NodeType for node in s.nodes()][0]
        'SENTINEL'
        """
        return nodes_of(self.listNodes())

    def plotTopology(
        self,
        SNColour: str = "#ADD8E6",
        SWOPColor: str = "#33FF33",
        SLColor: str = "#FFCCCB",
        attrs: Sequence[str] = ("ContainerName",),
        *,
        figure: bool = False,
    ) -> Union[bytes, "Figure", None]:
        """A picture of the network as a PNG file's bytes, or as a matplotlib figure; None when there is none to show.

        `attrs`: what else is written to each node: Port, ContainerName, UUID, ParentUUID, i-am-alive.

        >>> s.plotTopology(attrs=["Port"])[:4]
        b'\\x89PNG'
        """
        nodes = self.nodes()
        if not nodes:
            return None
        drawn = draw(nodes, (SNColour, SWOPColor, SLColor), attrs)
        return drawn if figure else png_of(drawn)

    # Training contracts

    def createTrainingContract(self, ctName: str) -> List[str]:
        """
        >>> s.createTrainingContract("testContract")
        ['CONTRACT CREATED : testContract']
        """
        return self._change(f"create contract {word(ctName, 'ctName')}", "list contracts")

    def listTrainingContracts(self) -> List[str]:
        """
        >>> s.listTrainingContracts()
        ['defaultbb.cqdb.sml.hpe', 'testContract']
        """
        return self._run("list contracts", keep=True)

    def getTrainingContractInfo(self, ctName: str) -> List[str]:
        """
        >>> s.getTrainingContractInfo("testContract")
        ['CONTRACT   : testContract', ...]
        """
        return self._run(f"get contract info {word(ctName, 'ctName')}", keep=True)

    def getTrainingContractStatus(self, ctName: str) -> List[str]:
        """
        >>> s.getTrainingContractStatus("testContract")
        ['CONTRACT      : testContract', 'STATE         : collecting', ...]
        """
        return self._run(f"get contract status {word(ctName, 'ctName')}")

    def getTrainingContractPerformanceData(self, ctName: str = DEFAULT_CONTRACT) -> List[str]:
        """Loss, metric and epochs of each pair of SL and ML.

        >>> s.getTrainingContractPerformanceData("testContract")
        ['CONTRACT : testContract', 'No peer has reported anything yet.']
        """
        return self._run(f"perfdata {word(ctName, 'ctName')}")

    perfdata = getTrainingContractPerformanceData

    def resetTrainingContract(self, ctName: str = DEFAULT_CONTRACT) -> List[str]:
        """
        >>> s.resetTrainingContract("testContract")
        ['CONTRACT RESET : testContract']
        """
        return self._run(f"reset contract {word(ctName, 'ctName')}")

    # Tasks

    def uploadTaskDefintion(self, taskFilePath: Union[str, "os.PathLike[str]"]) -> str:
        """Puts a file of this host into the SWCI's folder, under its own name, and returns what the SWCI says of it.

        (The original product's name of this method; `uploadTaskDefinition` is the same.)

        >>> s.uploadTaskDefintion("content.yaml")
        'Uploaded : /platform/swarm/usr/content.yaml'
        """
        path = Path(taskFilePath).resolve()
        if not path.is_file():
            raise SwciError(f"there is no file {path}")
        try:
            lines = self._taken(self._link.upload(path.name, path.read_bytes()), f"upload of {path.name}")
        except SwciError as error:
            self._error = as_error(error)
            raise
        if self._error is not None:
            raise SwciError(self._error, f"upload of {path.name}")
        return "\n".join(lines)

    uploadTaskDefinition = uploadTaskDefintion

    def createTaskFrom(self, yamlFileName: str) -> List[str]:
        """From a file in the SWCI's folder.

        >>> s.createTaskFrom("content.yaml")
        ['Task definition is valid', 'Task Registered : content', 'Appending Task Body', 'batch start : ...']
        """
        return self._change(f"create task from {word(yamlFileName, 'yamlFileName')}", "list tasks")

    def finalizeTask(self, taskName: str) -> List[str]:
        """
        >>> s.finalizeTask("content")
        ['TASK FINALIZED : content']
        """
        task = word(taskName, "taskName")
        return self._change(f"finalize task {task}", f"get task info {task}")

    def registerTask(self, yamlFileName: str, finalize: bool = True) -> List[str]:
        """Creates a task from a file in the SWCI's folder and finalizes it.

        >>> _ = s.uploadTaskDefinition("other.yaml")
        >>> s.registerTask("other.yaml")
        ['Registered Task : other']
        """
        created = self.createTaskFrom(yamlFileName)
        name = value_of(created, "Task Registered")
        if not created or not finalize or name is None:
            return created
        return [f"Registered Task : {name}"] if self.finalizeTask(name) else []

    def deleteTask(self, taskName: str) -> List[str]:
        """One that is not finalized.

        >>> _ = s.uploadTaskDefinition("draft.yaml"), s.registerTask("draft.yaml", finalize=False)
        >>> s.deleteTask("draft")
        ['TASK DELETED : draft']
        """
        task = word(taskName, "taskName")
        return self._change(f"delete task {task}", "list tasks", f"get task info {task}", f"get task body {task}")

    def getTaskInfo(self, taskName: str) -> List[str]:
        """
        >>> s.getTaskInfo("content")
        ['TASK         : content', 'TYPE         : MAKE_SWARM_USER_CONTENT', ...]
        """
        return self._run(f"get task info {word(taskName, 'taskName')}", keep=True)

    def getTaskBody(self, taskName: str) -> List[str]:
        """
        >>> s.getTaskBody("content")
        ['0000: ---', '0001: ContentType...', ...]
        """
        return self._run(f"get task body {word(taskName, 'taskName')}", keep=True)

    def listTasks(self) -> List[str]:
        """
        >>> s.listTasks()
        ['ROOTTASK', 'content', 'other']
        """
        return self._run("list tasks", keep=True)

    # Taskrunners

    def assignTask(
        self, taskName: str, trName: str, peers: int, *, wait: bool = False, pollWaitInSec: float = SHORT_POLL
    ) -> List[str]:
        """`wait`: returns when the task has ended, with the taskrunner's status.

        >>> s.assignTask("nothing", "defaulttaskbb.taskdb.sml.hpe", 1), s.getErrors()
        ([], "ERROR : ...")
        """
        runner = word(trName, "trName")
        assigned = self._run(f"assign task {word(taskName, 'taskName')} to {runner} with {int(peers)} peers")
        if not assigned or not wait:
            return assigned
        self.waitForTask(trName, pollWaitInSec)
        return self.getTaskRunnerStatus(trName)

    def listTaskRunners(self) -> List[str]:
        """
        >>> s.listTaskRunners()
        ['defaulttaskbb.taskdb.sml.hpe']
        """
        return self._run("list taskrunners", keep=True)

    def getTaskRunnerInfo(self, trName: str = DEFAULT_TASKRUNNER) -> List[str]:
        """
        >>> s.getTaskRunnerInfo("defaulttaskbb.taskdb.sml.hpe")
        ['TASKRUNNER      : defaulttaskbb.taskdb.sml.hpe', ...]
        """
        return self._run(f"get taskrunner info {word(trName, 'trName')}", keep=True)

    def getTaskRunnerStatus(self, trName: str = DEFAULT_TASKRUNNER) -> List[str]:
        """
        >>> s.getTaskRunnerStatus("defaulttaskbb.taskdb.sml.hpe")
        ['TASKRUNNER      : ...', 'TASK_NAME       : Empty', 'PEER_TYPE       : SWOP', 'TASK_STATE      : IDLE', ...]
        """
        return self._run(f"get taskrunner status {word(trName, 'trName')}")

    getTaskrunnerStatus = getTaskRunnerStatus

    def getTaskRunnerPeerStatus(self, trName: str, idx: Union[int, str]) -> List[str]:
        """Of the SWOP with this index, from 0, or UID.

        >>> s.getTaskRunnerPeerStatus("defaulttaskbb.taskdb.sml.hpe", 0), s.getErrors()
        ([], 'ERROR : 0 SWOPs take part: there is no one with the index 0')
        """
        return self._run(f"get taskrunner peer status {word(trName, 'trName')} {word(idx, 'idx')}")

    def resetTaskRunner(self, trName: str = DEFAULT_TASKRUNNER) -> List[str]:
        """
        >>> s.resetTaskRunner()
        ['TASKRUNNER RESET : defaulttaskbb.taskdb.sml.hpe']
        """
        return self._run(f"reset taskrunner {word(trName, 'trName')}")

    def isTaskDone(self, trName: str = DEFAULT_TASKRUNNER) -> bool:
        """Whether the taskrunner has no task under way; raises `SwciError` when it cannot be asked.

        >>> s.isTaskDone("defaulttaskbb.taskdb.sml.hpe")
        True
        """
        return self._task_state(trName) in DONE

    def waitForTask(
        self, trName: str = DEFAULT_TASKRUNNER, pollWaitInSec: float = SHORT_POLL, timeout: Optional[float] = None
    ) -> bool:
        """Waits until the taskrunner's task has ended; whether it is COMPLETE. TimeoutError after `timeout` seconds.

        >>> s.waitForTask()
        False
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            state = self._task_state(trName)
            if state in DONE:
                return state == "COMPLETE"
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"the task of {trName} is still {state} after {timeout} s")
            time.sleep(pollWaitInSec)

    def executeTask(
        self,
        taskName: str,
        tr: str = DEFAULT_TASKRUNNER,
        peers: int = 1,
        pollWaitInSec: float = 120,
        resetTROnSuccess: bool = True,
        *,
        wait: bool = True,
    ) -> bool:
        """Assigns a task, waits for its end, prints what came of it, and resets the taskrunner if it is COMPLETE.

        Returns whether it is; with `wait=False` whether it was assigned, and the rest is the caller's.

        >>> s.executeTask("nothing")
        False
        """
        if not self.assignTask(taskName, tr, peers):
            self._logger.error("the task %s could not be assigned to %s", taskName, tr)
            return False
        print(f"Assigned task {taskName} on {tr} for execution")
        if not wait:
            return True
        while not self.isTaskDone(tr):
            print(f"Waiting for task {taskName} to complete")
            time.sleep(pollWaitInSec)
        status = self.getTaskRunnerStatus(tr)
        complete = value_of(status, "TASK_STATE") == "COMPLETE"
        for lines in [status, *(self._of_peer(tr, i) for i in range(int(peers)))]:
            print("\n".join(lines), "=" * 40, sep="\n")
        if complete and resetTROnSuccess:
            self.resetTaskRunner(tr)
        return complete

    async def executeTaskAsync(
        self,
        taskName: str,
        tr: str = DEFAULT_TASKRUNNER,
        peers: int = 1,
        pollWaitInSec: float = SHORT_POLL,
        resetTROnSuccess: bool = True,
    ) -> bool:
        """`executeTask` for programs with an event loop.

        >>> asyncio.run(s.executeTaskAsync("nothing"))
        False
        """
        return await asyncio.to_thread(self.executeTask, taskName, tr, peers, pollWaitInSec, resetTROnSuccess)

    async def waitForTaskAsync(
        self, trName: str = DEFAULT_TASKRUNNER, pollWaitInSec: float = SHORT_POLL, timeout: Optional[float] = None
    ) -> bool:
        """`waitForTask` for programs with an event loop.

        >>> asyncio.run(s.waitForTaskAsync())
        False
        """
        return await asyncio.to_thread(self.waitForTask, trName, pollWaitInSec, timeout)

    def _task_state(self, runner: str) -> str:
        status = self.getTaskRunnerStatus(runner)
        state = value_of(status, "TASK_STATE")
        if state is None:
            raise SwciError(self._error or f"the status of {runner} names no TASK_STATE", "get taskrunner status")
        return state

    def _of_peer(self, runner: str, index: int) -> List[str]:
        """Nothing when there is no such peer, as fewer may have taken part."""
        try:
            return self.getTaskRunnerPeerStatus(runner, index)
        except SwciError:
            return []
