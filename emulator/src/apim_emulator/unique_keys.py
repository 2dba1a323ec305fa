"""YAML in which a key stands once in a mapping."""

from typing import Any

import yaml


class UniqueKeys(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping, of which PyYAML would take the last, in yaml.v3's words."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        """Return the mapping as it is written: a key that a merge brings in later may stand here."""
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in lines:
                    problem = f'mapping key "{key.value}" already defined at line {lines[key.value]}'
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                lines[key.value] = key.start_mark.line + 1
        return node
