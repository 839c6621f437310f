from __future__ import annotations

from pathlib import Path

import pytest

from headrace.profiles import ProfileError
from headrace.profiles.augmentations import find_augmentations, read_augmentations

UPSTREAM = {
    "big": {"tool_calling": True, "temperature": True, "max_output_tokens": 5},
    "small": {"tool_calling": False, "temperature": True},
}


def applied(tmp_path: Path, text: str) -> dict:
    path = tmp_path / "a.toml"
    path.write_text(text)
    return read_augmentations(path).apply(UPSTREAM)


def test_later_and_narrower_ones_win(tmp_path: Path) -> None:
    found = applied(
        tmp_path,
        """
        [provider]
        prefill = true
        family = "f"
        [[groups]]
        when = { tool_calling = true }
        [groups.facts]
        tool_choice = true
        family = "g"
        [models.big]
        family = "h"
        """,
    )
    assert found["big"] | UPSTREAM["big"] == found["big"]
    assert (found["big"]["family"], found["big"]["tool_choice"]) == ("h", True)
    assert found["big"]["augmented"] == ["family", "prefill", "tool_choice"]
    assert (found["small"]["family"], "tool_choice" in found["small"]) == ("f", False)


def test_groups_fit_by_pattern_save_the_exceptions(tmp_path: Path) -> None:
    found = applied(
        tmp_path, '[[groups]]\nmatch = ["*"]\nexcept = ["sm*"]\nfacts = { prefill = true }'
    )
    assert ("prefill" in found["big"], "prefill" in found["small"]) == (True, False)


def test_parameters_add_up(tmp_path: Path) -> None:
    found = applied(
        tmp_path,
        "[provider]\nparameters.top_p = false\nparameters.seed = false\n"
        "[models.big]\nparameters.top_p = { maximum = 1 }",
    )
    assert found["big"]["parameters"] == {"seed": False, "top_p": {"maximum": 1}}


def test_a_fact_can_be_unset(tmp_path: Path) -> None:
    found = applied(tmp_path, '[models.big]\nunset = ["max_output_tokens"]')
    assert "max_output_tokens" not in found["big"]


def test_dates_are_written_as_dates(tmp_path: Path) -> None:
    found = applied(tmp_path, "[models.big]\ndeprecation_date = 2026-10-23")
    assert found["big"]["deprecation_date"] == "2026-10-23"


def test_a_model_that_upstream_lacks_has_a_name_or_a_base(tmp_path: Path) -> None:
    found = applied(
        tmp_path, '[models.new]\nname = "N"\n[models.big-1]\nbase = "big"\nstatus = "beta"'
    )
    assert found["new"] == {"name": "N", "augmented": ["name"]}
    assert found["big-1"] == {**UPSTREAM["big"], "status": "beta", "augmented": ["status"]}


def test_a_misspelt_model_is_an_error_and_not_a_new_model(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"a\.toml: .*`bigg` \(did you mean `big`\?\)"):
        applied(tmp_path, "[models.bigg]\nprefill = true")


def test_a_pattern_that_fits_nothing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[[groups]]\nmatch = ["bigg*", "sm*"]\nfacts = { prefill = true }')
    assert read_augmentations(path).idle(UPSTREAM) == ["bigg*"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[models", "cannot be read"),
        ("\x00", "cannot be read"),
        ("[modles.big]\nprefill = true", r"no key `modles` \(did you mean `models`"),
        (
            "[models.big]\nprefil = true",
            r"models\.'big': no field `prefil` \(did you mean `prefill`",
        ),
        ("[models.big]\nprefill = 'yes'", "`prefill` is true or false, not 'yes'"),
        ("[provider]\nmax_input_tokens = 0", "`max_input_tokens` is a whole number above 0"),
        ("models = 5", "`models` is a table, not 5"),
        ("groups = 5", "`groups` is a list of tables"),
        ("[[groups]]\nmtach = []", r"groups\[0\]: no key `mtach`"),
        ("[[groups]]\nmatch = 'big'", "`match` is a list of texts"),
        ("[[groups]]\nwhen = { tool_call = true }", "no field `tool_call`"),
        ("[models.big]\nunset = 5", "`unset` is a list of texts"),
        ("[models.big]\nbase = 5", "no field `base`"),
        ("[aliases]\nlarge = 5", "`aliases` names models"),
        ("[aliases]\nlarge = 'huge'", "aliases of no model: `huge`"),
        ("[models.big.cost]\ninput = 'x'", "`cost` holds prices"),
    ],
)
def test_a_file_that_is_wrong_is_an_error_naming_file_and_key(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(ProfileError, match=rf"a\.toml: .*{told}"):
        applied(tmp_path, text)


def test_the_file_given_then_that_of_the_folder_then_the_nearest_above(tmp_path: Path) -> None:
    data_dir = tmp_path / "a" / "b" / "c"
    data_dir.mkdir(parents=True)
    assert find_augmentations("acme", data_dir, None) is None
    places = [
        tmp_path / "profiles/augmentations/acme.toml",
        tmp_path / "a/b/profiles/augmentations/acme.toml",
        data_dir / "profile_augmentations.toml",
    ]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("")
        assert find_augmentations("acme", data_dir, None).resolve() == place.resolve()
    given = tmp_path / "given.toml"
    with pytest.raises(ProfileError, match="no file"):
        find_augmentations("acme", data_dir, given)
    given.write_text("")
    assert find_augmentations("acme", data_dir, given) == given
