#pragma once

#include <string>

namespace xgen::cli {

/// configs/schema/run.schema.json: the JSON Schema of a run's config, for editors that check while
/// one types.
std::string config_schema_text();

/// docs/config.md: every key of a run's config with type, default and meaning.
std::string config_page();

}  // namespace xgen::cli
