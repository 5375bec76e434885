#pragma once

#include <string>

#include "search/study.h"

/// A study as lines of JSON: first {"format": "xgen study", "version": 1, "trials": COUNT,
/// "settings": {...}}, with "inputs": {NAME: ...} where it has some, then a trial a line, by number
/// (search/study_json.h).
namespace xgen::search {

std::string study_lines(const StudySettings& settings, const StudyContents& contents);

/// What such a text holds, as a new study takes it: all trials have ended. Who ran what was
/// under way may not be there any more, so running trials at the end are left out, where a study
/// proposes the same candidates again; one that others follow has failed, with that as its reason.
///
/// @param file      for messages.
/// @param expected  what the text's settings must equal.
/// @param space     that every point must be of.
/// @throws UserError `FILE: line N: ...`: no such text, other settings, a line that is no trial of
/// this study, a number that is not the next one, fewer or more trials than the first line says.
StudyContents read_study_lines(const std::string& text, const std::string& file,
                               const StudySettings& expected, const Space& space);

}  // namespace xgen::search
