#pragma once

#include <string>

namespace xgen::cli {

/// configs/schema/search.schema.json: the JSON Schema of a search's config.
std::string search_schema_text();

/// docs/search_config.md: every key of a search's config with type, default and meaning.
std::string search_config_page();

}  // namespace xgen::cli
