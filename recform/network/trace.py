"""A module's own forward as a graph: its children are leaves, and every node has a value.

torch.fx records; beside each node runs the computation itself, on tensors without data (the meta
device). So a forward may ask for shapes, unpack tuples, branch on sizes and types, and the graph
still computes with the sizes of whatever image comes later. What fx cannot see, in-place changes
whose results are dropped (NFNet's gain), is seen by the tensors' version counters: later readers
are made to read the changed value.

>>> images = Input("images", torch.empty(2, 3, device="meta"))
>>> graph = trace(nn.Sequential(nn.ReLU()), "forward", (images,))
>>> [str(node.target) for node in graph.nodes]
['images', '0', 'output']
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from threading import get_ident
from typing import Any, TypeVar
from unittest.mock import patch

import torch
from torch import fx, nn
from torch.fx.node import map_aggregate
from torch.fx.proxy import Attribute, TraceError
from torch.nn import functional

from recform.network.calls import CallsMade, watched

# Made from sizes alone, they must stand in the graph: their sizes may be those of the image.
_batch_norm = functional.batch_norm
_FACTORIES = ("arange", "zeros", "ones", "empty", "full", "linspace", "tensor", "rand", "randn")
Result = TypeVar("Result")


def trace(
    module: nn.Module,
    method: str,
    arguments: tuple[Any, ...],
    keywords: Mapping[str, Any] | None = None,
) -> fx.Graph:
    """The graph of `module.method(*arguments)`, each node with its `meta["value"]`.

    Arguments are the values to run on; those wrapped as `Input` become placeholders. Raises
    TraceError if the forward cannot be followed.
    """
    return watching(lambda watch: watch.trace(module, method, arguments, keywords or {}))


def watching(work: Callable[[Watch], Result]) -> Result:
    """What `work` comes to, which may trace as often as it likes: torch is patched only once."""
    # torch lists its factories, once a process, when a device is first chosen by `with`: that must
    # not be while they are patched, or no device is chosen so ever after.
    with torch.device("meta"):
        torch.empty(0)
    watch, results = Watch(), []
    watch.work = lambda: results.append(work(watch))
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(patch.object(functional, "batch_norm", watch.shaped_like_input))
        stack.enter_context(patch.object(nn.Module, "training", watch.mode(), create=True))
        for name in _FACTORIES:
            stack.enter_context(patch.object(torch, name, watch.recorded(getattr(torch, name))))
        fx.Tracer.trace(watch, nn.Module())
    return results[0]


class Input:
    """An argument that becomes a placeholder, with the value to run on."""

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, value


def value_of(argument: Any) -> Any:
    """What an argument of a node was when the graph was traced."""
    return map_aggregate(
        argument, lambda leaf: leaf.meta["value"] if isinstance(leaf, fx.Node) else leaf
    )


class _Shadow(fx.Proxy):
    """A proxy that knows its value, and passes for it where Python asks."""

    @property
    def value(self) -> Any:
        return self.node.meta["value"]

    @property
    def __class__(self) -> type:  # type: ignore[override] - isinstance(x, Tensor) must hold
        return type(self.node.meta["value"])

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.value, name)
        if callable(attribute):
            return Attribute(self, name)
        if isinstance(attribute, bool) or name == "ndim":
            return attribute
        return self.tracer.create_proxy("call_function", getattr, (self, name), {})

    def __iter__(self) -> Iterator[Any]:
        whole: Any = self  # fx gives proxies their operators when it is imported
        return (whole[place] for place in range(len(self.value)))

    def __len__(self) -> int:
        return len(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __index__(self) -> int:
        return operator.index(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)

    def __hash__(self) -> int:
        return id(self)


class _Tracer(fx.Tracer):
    """Records calls of children and of torch; runs each as it is recorded.

    `done` has the calls of modules that ran inside of others: these are not run again.
    """

    proxy_buffer_attributes = True

    def __init__(
        self,
        arguments: tuple[Any, ...],
        keywords: Mapping[str, Any],
        twin: fx.Graph | None,
        done: CallsMade,
    ) -> None:
        super().__init__()
        self._arguments, self._keywords = arguments, keywords
        self._twins = None if twin is None else list(twin.nodes)
        self._done = done
        self._proxies: dict[str, fx.Proxy] = {}
        self.is_running = False
        self.asks_mode = False
        # fx patches torch for all threads; what others do meanwhile is not ours.
        self._thread = get_ident()

    @property
    def is_here(self) -> bool:
        return get_ident() == self._thread

    @property
    def is_recording(self) -> bool:
        return not self.is_running and self.is_here

    def record(self, module: nn.Module, method: str) -> fx.Graph:
        """What fx.Tracer.trace does beside patching torch."""
        self.root, self.root_module_name = module, type(module).__name__
        self._modules = dict(module.named_modules())
        self.submodule_paths = {inner: path for path, inner in self._modules.items()}
        self.tensor_attrs = {}
        self.graph = fx.Graph(tracer_cls=type(self))
        call, _ = self.create_args_for_root(getattr(type(module), method), True)
        self.create_node("output", "output", (self.create_arg(call()),), {})
        self.submodule_paths = None
        return self.graph

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Shadow(node, self)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True

    def create_args_for_root(self, root_fn: Any, is_module: bool, concrete_args: Any = None) -> Any:
        def shadow(leaf: Any) -> Any:
            if not isinstance(leaf, Input):
                return leaf
            node = self.create_node("placeholder", leaf.name, (), {})
            node.meta["value"] = leaf.value
            return self.proxy(node)

        arguments = map_aggregate(self._arguments, shadow)
        keywords = map_aggregate(dict(self._keywords), shadow)
        return (lambda: root_fn(self.root, *arguments, **keywords)), []  # type: ignore[misc]

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        return self.create_proxy("call_module", self.path_of_module(m), args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: Any) -> Any:
        return super().getattr(attr, attr_val, self._proxies)

    def create_arg(self, a: Any) -> Any:
        if a is None or type(a) in (bool, int, float, str):
            return a
        if isinstance(a, _Shadow):
            return a.node
        if isinstance(a, Attribute):
            raise TraceError("a method is passed as a value")
        if isinstance(a, torch.Tensor) and not any(
            a is mine for mine in (*self.root.parameters(), *self.root.buffers())
        ):
            raise TraceError("a tensor comes from outside the module")
        node = super().create_arg(a)
        if isinstance(node, fx.Node) and "value" not in node.meta:
            node.meta["value"] = a
        return node

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *rest: Any,
                     **options: Any) -> Any:  # fmt: skip
        proxy = super().create_proxy(kind, target, args, kwargs, *rest, **options)
        self._give_value(proxy, args)
        # Whether something is None is asked with `is`, which no proxy can answer.
        return None if proxy.node.meta["value"] is None else proxy

    def _give_value(self, proxy: Any, args: Any) -> None:
        node = proxy.node
        if self._twins is None:
            node.meta.update(self._observe(node))
        else:
            place = len(self.graph.nodes) - 1
            twin = self._twins[place] if place < len(self._twins) else None
            if twin is None or (twin.op, twin.target) != (node.op, node.target):
                raise TraceError("the forward runs other code in training")
            node.meta.update(twin.meta)
        if node.meta.get("returns_changed"):
            # Whoever reads the argument from here on reads what it became.
            next(arg for arg in args if isinstance(arg, _Shadow)).node = node

    def _observe(self, node: fx.Node) -> dict[str, Any]:
        """Run a node; its value, and what it did to its arguments."""
        arguments, keywords = _changeable(value_of(node.args)), _changeable(value_of(node.kwargs))
        made = None
        if node.op == "call_module":
            made = self._done.find(self._modules[str(node.target)], arguments, keywords)
        if made is None:
            tensors = [leaf for leaf in _leaves((arguments, keywords))
                       if isinstance(leaf, torch.Tensor)]  # fmt: skip
            made = watched(lambda: self._run(node, arguments, keywords), tensors)
        first = arguments[0] if node.args and isinstance(node.args[0], fx.Node) else None
        returns_changed = made.overwrites and first is not None and made.value is first
        return {"value": made.value, "overwrites": made.overwrites,
                "returns_changed": returns_changed}  # fmt: skip

    def _run(self, node: fx.Node, arguments: Any, keywords: Any) -> Any:
        self.is_running = True
        try:
            with torch.device("meta"):
                return self._value(node, arguments, keywords)
        finally:
            self.is_running = False

    def _value(self, node: fx.Node, arguments: Any, keywords: Any) -> Any:
        if node.op == "call_function":
            if node.target is operator.add and _are_alike(*arguments):
                # What torch works out in Python, in a tenth of a millisecond.
                return arguments[0].clone()
            return node.target(*arguments, **keywords)  # type: ignore[operator]
        if node.op == "call_method":
            return getattr(arguments[0], str(node.target))(*arguments[1:], **keywords)
        if node.op == "call_module":
            return self._modules[str(node.target)](*arguments, **keywords)
        assert node.op == "get_attr", "placeholders are made with their values"
        return operator.attrgetter(str(node.target))(self.root)


class Watch(fx.Tracer):
    """fx's patches of torch, laid once; what they see goes to the trace that is running, if any.

    fx patches nn.Module for each trace, after which Python looks up the methods of all its
    subclasses anew: more work than to follow a block.

    `asked_mode` says whether the forward that was traced last may run otherwise in training: it has
    read `training`, or a module has a `train` of its own (`switches`).
    """

    work: Callable[[], None]

    def __init__(self) -> None:
        super().__init__()
        self._tracer: _Tracer | None = None
        self._done = CallsMade()
        self.switches = self.asked_mode = False

    def trace(  # type: ignore[override] - fx's own stands in `watching`
        self,
        module: nn.Module,
        method: str,
        arguments: tuple[Any, ...],
        keywords: Mapping[str, Any],
        twin: fx.Graph | None = None,
    ) -> fx.Graph:
        """As `trace`; with a `twin`, the graph in the module's other mode, nothing is run.

        The values are the twin's then. Raises TraceError as well if other nodes are made.
        """
        self._tracer = _Tracer(arguments, keywords, twin, self._done)
        try:
            return self._tracer.record(module, method)
        except TraceError:
            raise
        except (RuntimeError, TypeError, ValueError, AttributeError, NameError, AssertionError,
                KeyError, IndexError, NotImplementedError) as error:  # fmt: skip
            reason = (str(error) or type(error).__name__).strip().splitlines()[0]
            raise TraceError(reason) from error
        finally:
            self.asked_mode = self._tracer.asks_mode or self.switches
            self._tracer = None

    def create_args_for_root(self, root_fn: Any, is_module: bool, concrete_args: Any = None) -> Any:
        return self.work, []

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        if self._tracer is None or not self._tracer.is_here:
            return forward(*args, **kwargs)
        if self._tracer.is_running:
            return self._done.make(m, args, kwargs, lambda: forward(*args, **kwargs))
        return self._tracer.call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: Any) -> Any:
        if self._tracer is None or not self._tracer.is_recording:
            return attr_val
        return self._tracer.getattr(attr, attr_val, parameter_proxy_cache)

    def mode(self) -> property:
        """`training` of all modules, as ever; that a forward reads it is noted."""

        def read(module: nn.Module) -> bool:
            if self._tracer is not None and self._tracer.is_recording:
                self._tracer.asks_mode = True
            if "training" not in module.__dict__:
                raise AttributeError("training")
            return module.__dict__["training"]

        def write(module: nn.Module, value: bool) -> None:
            module.__dict__["training"] = value

        return property(read, write)

    def recorded(self, function: Any) -> Any:
        """A factory that stands in the graph when a forward calls it."""

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._tracer is None or not self._tracer.is_recording:
                return function(*args, **kwargs)
            return self._tracer.create_proxy("call_function", function, args, kwargs)

        return call

    def shaped_like_input(self, input: Any, *args: Any, **kwargs: Any) -> Any:
        """batch_norm, whose computation on the meta device takes milliseconds for a shape."""
        if self._tracer is not None and self._tracer.is_running and self._tracer.is_here:
            return input.clone()
        return _batch_norm(input, *args, **kwargs)


def _changeable(structure: Any) -> Any:
    """fx's lists and mappings as Python's own: HRNet writes into the lists that it is given."""
    if isinstance(structure, list):
        return [_changeable(part) for part in structure]
    if isinstance(structure, dict):
        return {key: _changeable(part) for key, part in structure.items()}
    return tuple(map(_changeable, structure)) if type(structure) is tuple else structure


def _leaves(structure: Any) -> list[Any]:
    leaves: list[Any] = []
    map_aggregate(structure, leaves.append)
    return leaves


def _are_alike(left: Any, right: Any) -> bool:
    """Whether two values are tensors of one shape, number type and layout, as their sum is then."""
    if type(left) is not torch.Tensor or type(right) is not torch.Tensor:
        return False
    return (
        left.dtype == right.dtype
        and left.shape == right.shape
        and left.is_contiguous()
        and right.is_contiguous()
    )
