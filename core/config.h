#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"

/// A config struct declares its fields once, in a `describe` member:
///
///   template <class Visitor>
///   void describe(Visitor& v) {
///     v.number("epochs", epochs, {1, 1000}, "Passes over the training data.");
///     v.choice("observer", observer, {"min_max", "mse"}, "How ranges are chosen.");
///     v.object("rates", rates, "How much to prune.", Need::required);
///   }
///
/// ConfigReader (parser and messages), ConfigWriter (the resolved config) and SchemaWriter
/// (core/config_schema.h: JSON Schema, docs/config.md) all visit that declaration, so they cannot
/// drift apart. Visitor methods: number, boolean, text, choice, numbers, texts, number_map, object,
/// optional_object, objects, and variant / variants for objects that a tag tells apart (each
/// alternative has a `static constexpr const char* kKind`). number, boolean and text also take a
/// std::optional, which stays empty when the key is absent.
///
/// What one field cannot say, such as "exactly one of", a struct says in
/// `std::optional<ConfigProblem> problem() const`, asked after all fields are read.
namespace xgen {

/// A closed interval; infinity, or the greatest value of an integer type, means no bound.
template <class T>
struct Range {
  T min = std::numeric_limits<T>::lowest();
  T max = std::numeric_limits<T>::max();

  bool has_min() const {
    if constexpr (std::is_floating_point_v<T>) {
      if (min == -std::numeric_limits<T>::infinity()) return false;
    }
    // An unsigned number has one, also where nobody asked for it.
    return std::is_unsigned_v<T> || min != std::numeric_limits<T>::lowest();
  }
  bool has_max() const {
    if constexpr (std::is_floating_point_v<T>) {
      if (max == std::numeric_limits<T>::infinity()) return false;
    }
    return max != std::numeric_limits<T>::max();
  }
};

template <class T>
concept Number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

enum class Need : std::uint8_t { optional, required };

/// Something wrong with a config struct as a whole.
struct ConfigProblem {
  std::string key;      ///< the field to name, or empty for the object itself.
  std::string message;  ///< "expected exactly one of ...".
};

namespace detail {

/// "an integer in [1, 32]", "a number of at least 0".
template <class T>
std::string describe_range(const Range<T>& range) {
  const char* kind = std::is_integral_v<T> ? "an integer" : "a number";
  if (!range.has_min() && !range.has_max()) return kind;
  if (!range.has_max()) return str(kind, " of at least ", range.min);
  if (!range.has_min()) return str(kind, " of at most ", range.max);
  return str(kind, " in [", range.min, ", ", range.max, "]");
}

/// A number read from JSON, or nothing when type or range are wrong.
template <class T>
std::optional<T> number_in(const nlohmann::json& json, const Range<T>& range) {
  if constexpr (std::is_integral_v<T>) {
    if (!json.is_number_integer()) return {};
    // Compared before it is narrowed: 2^40 must not pass as a small int.
    if (json.is_number_unsigned()) {
      const auto n = json.get<std::uint64_t>();
      if (std::cmp_less(n, range.min) || std::cmp_greater(n, range.max)) return {};
      return static_cast<T>(n);
    }
    const auto n = json.get<std::int64_t>();
    if (std::cmp_less(n, range.min) || std::cmp_greater(n, range.max)) return {};
    return static_cast<T>(n);
  } else {
    if (!json.is_number()) return {};
    const T n = json.get<T>();
    if (!(n >= range.min && n <= range.max)) return {};
    return n;
  }
}

/// A scalar as JSON text, cut when long; "an array", "an object".
std::string describe_found(const nlohmann::json& json);
/// `key` as a step of a JSON pointer (RFC 6901).
std::string pointer_step(const std::string& key);
std::string quoted_list(const std::vector<std::string>& names);

}  // namespace detail

/// Fills a config struct from JSON. Every rejection is a UserError which names the file and the
/// JSON pointer: `FILE: /json/pointer: expected X, got Y; did you mean "Z"?`. A key which is absent
/// keeps the default value of the struct.
class ConfigReader {
 public:
  /// Both `json` and the strings that it holds outlive the reader.
  ConfigReader(const nlohmann::json& json, std::string file, std::string pointer = "");

  template <Number T>
  void number(const std::string& key, T& value, Range<std::type_identity_t<T>> range,
              const char* /*help*/, Need need = Need::optional) {
    if (const auto* found = find(key, need)) value = number_at(*found, step(key), range);
  }
  template <Number T>
  void number(const std::string& key, std::optional<T>& value, Range<std::type_identity_t<T>> range,
              const char* /*help*/, Need need = Need::optional) {
    if (const auto* found = find(key, need)) value = number_at(*found, step(key), range);
  }
  void boolean(const std::string& key, bool& value, const char* help, Need need = Need::optional);
  void boolean(const std::string& key, std::optional<bool>& value, const char* help,
               Need need = Need::optional);
  void text(const std::string& key, std::string& value, const char* help,
            Need need = Need::optional);
  void text(const std::string& key, std::optional<std::string>& value, const char* help,
            Need need = Need::optional);
  void choice(const std::string& key, std::string& value, const std::vector<std::string>& allowed,
              const char* help, Need need = Need::optional);
  template <Number T>
  void numbers(const std::string& key, std::vector<T>& value, Range<std::type_identity_t<T>> range,
               const char* /*help*/, Need need = Need::optional) {
    const auto* found = find(key, need);
    if (found == nullptr) return;
    value.clear();
    for_each(*found, step(key), [&](const nlohmann::json& element, const std::string& at) {
      value.push_back(number_at(element, at, range));
    });
  }
  void texts(const std::string& key, std::vector<std::string>& value, const char* help,
             Need need = Need::optional);
  void number_map(const std::string& key, std::map<std::string, double>& value, Range<double> range,
                  const char* help, Need need = Need::optional);
  template <class Config>
  void object(const std::string& key, Config& value, const char* /*help*/,
              Need need = Need::optional) {
    if (const auto* found = find(key, need)) read_object(*found, step(key), value);
  }
  template <class Config>
  void optional_object(const std::string& key, std::optional<Config>& value, const char* /*help*/,
                       Need need = Need::optional) {
    if (const auto* found = find(key, need)) read_object(*found, step(key), value.emplace());
  }
  template <class Config>
  void objects(const std::string& key, std::vector<Config>& value, const char* /*help*/,
               Need need = Need::optional) {
    const auto* found = find(key, need);
    if (found == nullptr) return;
    value.clear();
    for_each(*found, step(key), [&](const nlohmann::json& element, const std::string& at) {
      read_object(element, at, value.emplace_back());
    });
  }
  template <class... Configs>
  void variant(const std::string& key, std::variant<Configs...>& value, const char* tag,
               const char* /*help*/, Need need = Need::optional) {
    if (const auto* found = find(key, need)) read_variant(*found, step(key), tag, value);
  }
  template <class... Configs>
  void variants(const std::string& key, std::vector<std::variant<Configs...>>& value,
                const char* tag, const char* /*help*/, Need need = Need::optional) {
    const auto* found = find(key, need);
    if (found == nullptr) return;
    value.clear();
    for_each(*found, step(key), [&](const nlohmann::json& element, const std::string& at) {
      read_variant(element, at, tag, value.emplace_back());
    });
  }

  /// Reads every field of `config`, then rejects what no field asked for: a typo must not silently
  /// mean "use the default".
  template <class Config>
  void read(Config& config) {
    config.describe(*this);
    reject_unknown_keys();
    if constexpr (requires { config.problem(); }) {
      if (const std::optional<ConfigProblem> problem = config.problem()) {
        fail(problem->key.empty() ? pointer_ : step(problem->key), problem->message);
      }
    }
  }

 private:
  template <class T>
  T number_at(const nlohmann::json& json, const std::string& at, const Range<T>& range) const {
    const std::optional<T> number = detail::number_in(json, range);
    if (!number) fail_type(at, detail::describe_range(range), json);
    return *number;
  }
  template <class Config>
  void read_object(const nlohmann::json& json, const std::string& at, Config& value) const {
    ConfigReader(json, file_, at).read(value);
  }
  template <class... Configs>
  void read_variant(const nlohmann::json& json, const std::string& at, const char* tag,
                    std::variant<Configs...>& value) const {
    ConfigReader inner(json, file_, at);
    std::string kind;
    inner.choice(tag, kind, {Configs::kKind...}, "", Need::required);
    ((kind == Configs::kKind ? inner.read(value.template emplace<Configs>()) : void()), ...);
  }
  template <class Visit>
  void for_each(const nlohmann::json& json, const std::string& at, const Visit& visit) const {
    if (!json.is_array()) fail_type(at, "an array", json);
    for (std::size_t i = 0; i < json.size(); ++i) visit(json[i], str(at, "/", i));
  }

  /// The value of `key`, or null when it is absent and may be.
  const nlohmann::json* find(const std::string& key, Need need);
  void reject_unknown_keys() const;
  std::string step(const std::string& key) const { return pointer_ + detail::pointer_step(key); }
  [[noreturn]] void fail(const std::string& at, const std::string& message) const;
  [[noreturn]] void fail_type(const std::string& at, const std::string& expected,
                              const nlohmann::json& found, const std::string& hint = "") const;

  const nlohmann::json& object_;
  std::string file_;
  std::string pointer_;
  std::set<std::string> known_;
};

/// Writes a config struct back to JSON, in declared order and with every default resolved. What
/// is optional and absent stays absent.
class ConfigWriter {
 public:
  template <Number T>
  void number(const std::string& key, const T& value, Range<std::type_identity_t<T>> /*range*/,
              const char* /*help*/, Need /*need*/ = Need::optional) {
    put(key, value);
  }
  template <Number T>
  void number(const std::string& key, const std::optional<T>& value,
              Range<std::type_identity_t<T>> /*range*/, const char* /*help*/,
              Need /*need*/ = Need::optional) {
    put(key, value);
  }
  template <class T>
  void boolean(const std::string& key, const T& value, const char* /*help*/,
               Need /*need*/ = Need::optional) {
    put(key, value);
  }
  template <class T>
  void text(const std::string& key, const T& value, const char* /*help*/,
            Need /*need*/ = Need::optional) {
    put(key, value);
  }
  void choice(const std::string& key, const std::string& value,
              const std::vector<std::string>& /*allowed*/, const char* /*help*/,
              Need /*need*/ = Need::optional) {
    put(key, value);
  }
  template <Number T>
  void numbers(const std::string& key, const std::vector<T>& value,
               Range<std::type_identity_t<T>> /*range*/, const char* /*help*/,
               Need /*need*/ = Need::optional) {
    put(key, value);
  }
  void texts(const std::string& key, const std::vector<std::string>& value, const char* /*help*/,
             Need /*need*/ = Need::optional) {
    put(key, value);
  }
  void number_map(const std::string& key, const std::map<std::string, double>& value,
                  Range<double> /*range*/, const char* /*help*/, Need /*need*/ = Need::optional) {
    if (!value.empty()) put(key, value);
  }
  template <class Config>
  void object(const std::string& key, Config& value, const char* /*help*/,
              Need /*need*/ = Need::optional) {
    json_[key] = written(value);
  }
  template <class Config>
  void optional_object(const std::string& key, std::optional<Config>& value, const char* /*help*/,
                       Need /*need*/ = Need::optional) {
    if (value) json_[key] = written(*value);
  }
  template <class Config>
  void objects(const std::string& key, std::vector<Config>& value, const char* /*help*/,
               Need /*need*/ = Need::optional) {
    auto& array = json_[key] = nlohmann::ordered_json::array();
    for (Config& element : value) array.push_back(written(element));
  }
  template <class... Configs>
  void variant(const std::string& key, std::variant<Configs...>& value, const char* tag,
               const char* /*help*/, Need /*need*/ = Need::optional) {
    json_[key] = written_variant(value, tag);
  }
  template <class... Configs>
  void variants(const std::string& key, std::vector<std::variant<Configs...>>& value,
                const char* tag, const char* /*help*/, Need /*need*/ = Need::optional) {
    auto& array = json_[key] = nlohmann::ordered_json::array();
    for (auto& element : value) array.push_back(written_variant(element, tag));
  }

  template <class Config>
  static nlohmann::ordered_json written(Config& config) {
    ConfigWriter writer;
    config.describe(writer);
    return std::move(writer.json_);
  }

 private:
  template <class T>
  void put(const std::string& key, const T& value) {
    json_[key] = value;
  }
  template <class T>
  void put(const std::string& key, const std::optional<T>& value) {
    if (value) json_[key] = *value;
  }
  template <class... Configs>
  static nlohmann::ordered_json written_variant(std::variant<Configs...>& value, const char* tag) {
    return std::visit(
        [&]<class Config>(Config& config) {
          ConfigWriter writer;
          writer.json_[tag] = Config::kKind;
          config.describe(writer);
          return std::move(writer.json_);
        },
        value);
  }

  nlohmann::ordered_json json_ = nlohmann::ordered_json::object();
};

/// Reads a whole config; `file` is for messages. @throws UserError, see ConfigReader.
template <class Config>
Config read_config(const nlohmann::json& json, const std::string& file) {
  Config config;
  ConfigReader(json, file).read(config);
  return config;
}

/// The resolved config, which read_config reads back to the same struct.
template <class Config>
nlohmann::ordered_json write_config(Config config) {
  return ConfigWriter::written(config);
}

}  // namespace xgen
