#include "cli/search/config_reference.h"

#include "core/config_schema.h"
#include "search/config.h"

namespace xgen::cli {

namespace {

constexpr const char* kTitle = "Config of a search";

constexpr const char* kIntroduction =
    R"(What `xgen-train search CONFIG` reads, and every verb of its studies; [Search](search.md) says what it
is about. This page and `configs/schema/search.schema.json` are written by `xgen-train schema
--search` from the declarations that the parser itself uses; a test keeps both current.

* Relative paths are relative to the config file.
* `run` names a [run's config](config.md), in which a candidate takes the place of the model.
* `space` is one of the kinds below, each with its own keys.
* An unknown key is an error, with a suggestion. `"$schema"` may name the schema for editors.
)";

}  // namespace

std::string search_schema_text() { return schema_of<search::SearchConfig>(kTitle).dump(2) + "\n"; }

std::string search_config_page() {
  return markdown_of(schema_of<search::SearchConfig>(kTitle), kIntroduction);
}

}  // namespace xgen::cli
