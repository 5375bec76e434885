#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "search/study.h"

/// What a study is and what it holds, as JSON for people and other programs.
namespace xgen::search {

/// {"number": 3, "state": "finished", "point": [0, 2], "objectives": [7.5, 0.31], "reason": "",
///  "worker": "host:17", "attempts": 1}: every field, in this order.
nlohmann::ordered_json to_json(const StudyTrial& trial);
/// @param where  file and line, for messages.
/// @throws UserError `WHERE: /pointer: expected X, got Y` for another type, an unknown key, a
/// finished trial without objectives, any other one with them.
StudyTrial trial_of(const nlohmann::json& json, const std::string& where);

/// Every field; `space` as JSON rather than as text.
nlohmann::ordered_json to_json(const StudySettings& settings);
/// Where two studies' settings differ: "/seed: expected 7, got 8; /space/image_size: ..."; "" where
/// they are equal. The order of keys does not count. @param found  as to_json() writes them.
std::string difference(const StudySettings& expected, const nlohmann::json& found);

}  // namespace xgen::search
