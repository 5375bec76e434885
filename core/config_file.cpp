#include "core/config_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include "core/config.h"
#include "core/error.h"
#include "core/suggest.h"

namespace xgen {

namespace {

/// Follows the parser and refuses a key that an object has twice, where nlohmann::json keeps the
/// last one silently.
class StrictJson : public nlohmann::json_sax<nlohmann::json> {
 public:
  StrictJson(const std::string& text, std::string file) : text_(text), file_(std::move(file)) {}

  bool null() override { return element(); }
  bool boolean(bool) override { return element(); }
  bool number_integer(number_integer_t) override { return element(); }
  bool number_unsigned(number_unsigned_t) override { return element(); }
  bool number_float(number_float_t, const string_t&) override { return element(); }
  bool string(string_t&) override { return element(); }
  bool binary(binary_t&) override { return element(); }
  bool start_object(std::size_t) override {
    element();
    levels_.emplace_back();
    return true;
  }
  bool key(string_t& name) override {
    Level& level = levels_.back();
    level.step = detail::pointer_step(name);
    if (level.keys.insert(name).second) return true;
    std::string pointer;
    for (const Level& outer : levels_) pointer += outer.step;
    throw UserError(str(file_, ": ", pointer, ": duplicate key"));
  }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override {
    element();
    levels_.emplace_back().next = 0;
    return true;
  }
  bool end_array() override { return leave(); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // `position` counts the bytes read, the offending one included.
    const std::string before = text_.substr(0, position == 0 ? 0 : position - 1);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n');
    const std::size_t column =
        before.size() - (line_start == std::string::npos ? 0 : line_start + 1) + 1;
    throw UserError(str(file_, ":", line, ":", column, ": ", plain(error.what())));
  }

 private:
  struct Level {
    std::set<std::string> keys;
    std::string step;
    std::optional<std::size_t> next;  ///< of an array: the index of the next element.
  };

  bool element() {
    if (!levels_.empty() && levels_.back().next) {
      levels_.back().step = str("/", (*levels_.back().next)++);
    }
    return true;
  }
  bool leave() {
    levels_.pop_back();
    return true;
  }
  /// The library's message without its code and its own line and column.
  static std::string plain(std::string message) {
    for (const char* mark : {"] ", "parse error at line "}) {
      const std::size_t at = message.find(mark);
      if (at != std::string::npos) message = message.substr(at + std::strlen(mark));
    }
    const std::size_t after_place = message.find(": ");
    return after_place == std::string::npos ? message : message.substr(after_place + 2);
  }

  const std::string& text_;
  std::string file_;
  std::vector<Level> levels_;
};

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> steps(1);
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\' && i + 1 < path.size() && path[i + 1] == '.') {
      steps.back() += path[++i];
    } else if (path[i] == '.') {
      steps.emplace_back();
    } else {
      steps.back() += path[i];
    }
  }
  return steps;
}

nlohmann::json& list_element(nlohmann::json& list, const std::string& wanted,
                             const std::string& assignment, const std::string& pointer) {
  std::vector<std::string> names;
  for (nlohmann::json& element : list) {
    if (!element.is_object() || !element.contains("name") || !element["name"].is_string()) continue;
    names.push_back(element["name"].get<std::string>());
    if (names.back() == wanted) return element;
  }
  const bool is_index =
      !wanted.empty() && wanted.size() < 7 &&
      std::all_of(wanted.begin(), wanted.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_index && std::stoul(wanted) < list.size()) return list[std::stoul(wanted)];
  const std::string hint = did_you_mean(wanted, names);
  throw UserError(str("--set ", assignment, ": ", pointer, " has ", list.size(),
                      list.size() == 1 ? " element" : " elements", " and none is called \"", wanted,
                      "\"",
                      !hint.empty()   ? hint
                      : names.empty() ? ""
                                      : str("; names: ", detail::quoted_list(names))));
}

}  // namespace

nlohmann::json parse_config_json(const std::string& text, const std::string& file) {
  StrictJson strict(text, file);
  nlohmann::json::sax_parse(text, &strict);
  return nlohmann::json::parse(text);
}

nlohmann::json load_config_json(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw UserError(str(path.string(), ": expected a JSON file, got a folder"));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) {
    throw UserError(str(path.string(), ": cannot read: ", std::strerror(errno)));
  }
  return parse_config_json(text.str(), path.string());
}

void apply_override(nlohmann::json& config, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UserError(str("--set ", assignment, ": expected KEY.KEY=VALUE"));
  }
  nlohmann::json* at = &config;
  std::string pointer;
  for (const std::string& step : split_path(assignment.substr(0, equals))) {
    if (step.empty()) throw UserError(str("--set ", assignment, ": expected a key between dots"));
    if (at->is_null()) *at = nlohmann::json::object();
    if (at->is_array()) {
      at = &list_element(*at, step, assignment, pointer);
    } else if (at->is_object()) {
      at = &(*at)[step];
    } else {
      throw UserError(str("--set ", assignment, ": ", pointer, " is ", detail::describe_found(*at),
                          " and has no key \"", step, "\""));
    }
    pointer += detail::pointer_step(step);
  }
  const std::string value = assignment.substr(equals + 1);
  nlohmann::json parsed = nlohmann::json::parse(value, nullptr, false);
  *at = parsed.is_discarded() ? nlohmann::json(value) : std::move(parsed);
}

}  // namespace xgen
