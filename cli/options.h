#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

/// What several verbs read from the command line.
namespace xgen::cli {

/// --dim NAME=N, given any number of times.
/// @throws UserError for another form, a size below 1, or a name that comes twice.
std::map<std::string, std::int64_t> parse_dims(const std::vector<std::string>& words);

/// --input NAME=FILE. @throws UserError for another form or a name that comes twice.
std::map<std::string, std::filesystem::path> parse_inputs(const std::vector<std::string>& words);

/// The generated code runs on one thread. @throws UserError for any other count.
void check_threads(int threads);

/// A tensor's name as a file name: what is neither letter, digit, '.', '-' nor '_' becomes '_'.
std::string file_safe(const std::string& name);

}  // namespace xgen::cli
