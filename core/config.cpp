#include "core/config.h"

#include <algorithm>

#include "core/suggest.h"

namespace xgen {

namespace detail {

std::string describe_found(const nlohmann::json& json) {
  if (json.is_array()) return "an array";
  if (json.is_object()) return "an object";
  std::string text = json.dump();
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

std::string pointer_step(const std::string& key) {
  std::string escaped = "/";
  for (const char c : key) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += str(list.empty() ? "" : ", ", '"', name, '"');
  return list;
}

}  // namespace detail

ConfigReader::ConfigReader(const nlohmann::json& json, std::string file, std::string pointer)
    : object_(json), file_(std::move(file)), pointer_(std::move(pointer)) {
  if (!object_.is_object()) fail_type(pointer_, "an object", object_);
}

void ConfigReader::boolean(const std::string& key, bool& value, const char* /*help*/, Need need) {
  const auto* found = find(key, need);
  if (found == nullptr) return;
  if (!found->is_boolean()) fail_type(step(key), "true or false", *found);
  value = found->get<bool>();
}

void ConfigReader::boolean(const std::string& key, std::optional<bool>& value, const char* help,
                           Need need) {
  if (find(key, need) != nullptr) boolean(key, value.emplace(), help, need);
}

void ConfigReader::text(const std::string& key, std::string& value, const char* /*help*/,
                        Need need) {
  const auto* found = find(key, need);
  if (found == nullptr) return;
  if (!found->is_string()) fail_type(step(key), "a string", *found);
  value = found->get<std::string>();
}

void ConfigReader::text(const std::string& key, std::optional<std::string>& value, const char* help,
                        Need need) {
  if (find(key, need) != nullptr) text(key, value.emplace(), help, need);
}

void ConfigReader::choice(const std::string& key, std::string& value,
                          const std::vector<std::string>& allowed, const char* /*help*/,
                          Need need) {
  const auto* found = find(key, need);
  if (found == nullptr) return;
  const std::string expected = str("one of ", detail::quoted_list(allowed));
  if (!found->is_string()) fail_type(step(key), expected, *found);
  const auto wanted = found->get<std::string>();
  if (std::find(allowed.begin(), allowed.end(), wanted) == allowed.end()) {
    fail_type(step(key), expected, *found, did_you_mean(wanted, allowed));
  }
  value = wanted;
}

void ConfigReader::texts(const std::string& key, std::vector<std::string>& value,
                         const char* /*help*/, Need need) {
  const auto* found = find(key, need);
  if (found == nullptr) return;
  value.clear();
  for_each(*found, step(key), [&](const nlohmann::json& element, const std::string& at) {
    if (!element.is_string()) fail_type(at, "a string", element);
    value.push_back(element.get<std::string>());
  });
}

void ConfigReader::number_map(const std::string& key, std::map<std::string, double>& value,
                              Range<double> range, const char* /*help*/, Need need) {
  const auto* found = find(key, need);
  if (found == nullptr) return;
  if (!found->is_object()) fail_type(step(key), "an object", *found);
  value.clear();
  for (const auto& [name, number] : found->items()) {
    value[name] = number_at(number, step(key) + detail::pointer_step(name), range);
  }
}

const nlohmann::json* ConfigReader::find(const std::string& key, Need need) {
  known_.insert(key);
  const auto it = object_.find(key);
  if (it != object_.end()) return &*it;
  if (need == Need::required) fail(step(key), "required key is missing");
  return nullptr;
}

void ConfigReader::reject_unknown_keys() const {
  for (const auto& [key, unused] : object_.items()) {
    if (known_.count(key) != 0 || (pointer_.empty() && key == "$schema")) continue;
    const std::string hint = did_you_mean(key, known_);
    fail(step(key), str("unknown key",
                        !hint.empty() ? hint
                                      : str("; known keys: ",
                                            detail::quoted_list({known_.begin(), known_.end()}))));
  }
}

void ConfigReader::fail(const std::string& at, const std::string& message) const {
  throw UserError(str(file_, ": ", at.empty() ? "/" : at, ": ", message));
}

void ConfigReader::fail_type(const std::string& at, const std::string& expected,
                             const nlohmann::json& found, const std::string& hint) const {
  fail(at, str("expected ", expected, ", got ", detail::describe_found(found), hint));
}

}  // namespace xgen
