"""The plan of a parameter: how its value is found in a request.

FastAPI derives names and shapes of parameters from their descriptions for each request. A
plan does this once, and validates each value as FastAPI does. FastAPI itself reads lists
outside models, unknown parameters, and missing parameters without a constant default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isclass
from typing import Any, Final

from fastapi.dependencies import utils as fastapi_parameters
from fastapi.dependencies.utils import request_params_to_args
from fastapi.params import Query
from pydantic import BaseModel
from pydantic.fields import FieldInfo

CONSTANTS: Final = (str, int, type(None))
"""The types of defaults that need no copy for each request."""


@dataclass(frozen=True)
class ParameterPlan:
    """How a parameter is read: by FastAPI, as one text, or as a model of texts and lists.

    `name` is the name of a parameter that is one text. `has_default` is true if a constant
    replaces a missing parameter. `lists` says whether each field of a model is a list.
    """

    field: Any
    name: str | None = None
    has_default: bool = False
    lists: Mapping[str, bool] | None = None

    def add(self, values: dict[str, Any], errors: list[Any], part: Any) -> None:
        """Add the value in `part` of a request to `values`, or its errors to `errors`."""
        text = part.get(self.name) if self.name is not None else None
        if text is not None:
            self.validate(
                values, errors, text, (self.field.field_info.in_.value, self.name)
            )
        elif self.has_default:
            values[self.field.name] = self.field.default
        elif self.lists is not None and self.lists.keys() >= part.keys():
            given = {
                name: part.getlist(name) if self.lists[name] else part[name]
                for name in part
            }
            self.validate(values, errors, given, ("query",))
        else:
            valid, found = request_params_to_args([self.field], part)
            values |= valid
            errors += found

    def validate(
        self, values: dict[str, Any], errors: list[Any], given: Any, location: Any
    ) -> None:
        """Add `given` to `values` if it is valid, or else its errors to `errors`."""
        value, found = self.field.validate(given, values, loc=location)
        if found:
            errors += found
        else:
            values[self.field.name] = value


def build_parameter_plan(field: Any) -> ParameterPlan:
    """Return the plan of a parameter that FastAPI has described."""
    info: FieldInfo = field.field_info
    if isclass(info.annotation) and issubclass(info.annotation, BaseModel):
        return ParameterPlan(field, lists=find_lists(info, info.annotation))
    if is_list(info):
        return ParameterPlan(field)
    name = field.validation_alias or field.alias
    constant = not info.is_required() and not info.validate_default
    return ParameterPlan(
        field,
        name=name if isinstance(name, str) else None,
        has_default=constant and isinstance(field.default, CONSTANTS),
    )


def find_lists(info: FieldInfo, model: type[BaseModel]) -> Mapping[str, bool] | None:
    """Return whether each field of a query model is a list, by the name of the field.

    Return None if the model is not a query, or if a field has an alias.
    """
    fields = model.model_fields
    if not isinstance(info, Query) or any(one.validation_alias for one in fields.values()):
        return None
    return {name: is_list(one) for name, one in fields.items()}


def is_list(info: FieldInfo) -> bool:
    """Return whether a parameter can be sent several times."""
    return bool(fastapi_parameters.field_annotation_is_sequence(info.annotation))  # type: ignore[attr-defined]
