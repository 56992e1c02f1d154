"""The command `python -m scaling.published`: the papers' scaled networks beside ours."""
