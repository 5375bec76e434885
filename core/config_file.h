#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace xgen {

/// Parses JSON strictly. @param file for messages.
/// @throws UserError `FILE:LINE:COLUMN: ...` for a syntax error, `FILE: /pointer: duplicate key`.
nlohmann::json parse_config_json(const std::string& text, const std::string& file);

/// Reads and parses a config file. @throws UserError, also when the file cannot be read.
nlohmann::json load_config_json(const std::filesystem::path& path);

/// Applies one `--set`: "stages.prune.fine_tune.epochs=3".
///
/// Steps are separated by dots ("\." is a dot inside a key). A step into a list is the "name" of an
/// element or its index from 0. Objects that are missing on the way are made; elements of lists are
/// not. The value is JSON where it parses as JSON, else a string.
///
/// @throws UserError, which names the step.
void apply_override(nlohmann::json& config, const std::string& assignment);

}  // namespace xgen
