#include "cli/config_reference.h"

#include "cli/config.h"
#include "core/config_schema.h"

namespace xgen::cli {

namespace {

constexpr const char* kTitle = "Config of a run";

constexpr const char* kIntroduction =
    R"(What `xgen-train run CONFIG` reads, and every other verb that takes a config. This page and
`configs/schema/run.schema.json` are written by `xgen-train schema` from the declarations that the
parser itself uses; a test keeps both current.

* Relative paths are relative to the config file.
* A stage starts from the stage before it, the first one from `model`.
* Wherever a stage trains, its `training` holds only what differs from the run's own `training`. The
  defaults shown below a stage are what holds when neither says anything.
* `--set` overrides a key; elements of a list are addressed by their name or number:
  `--set training.lr=0.05 --set stages.prune.fine_tune.epochs=3`.
* An unknown key is an error, with a suggestion. `"$schema"` may name the schema for editors.
)";

}  // namespace

std::string config_schema_text() { return schema_of<RunConfig>(kTitle).dump(2) + "\n"; }

std::string config_page() { return markdown_of(schema_of<RunConfig>(kTitle), kIntroduction); }

}  // namespace xgen::cli
