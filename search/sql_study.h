#pragma once

#include <memory>
#include <string>

#include "search/study.h"

namespace xgen::search {

/// Makes the study, or opens one with the same settings.
///
/// @param place  a file, for workers on one machine: a SQLite database with its log beside it; or
///               "postgresql://USER@HOST:PORT/DATABASE", where the study is a schema of its name.
/// @throws UserError which names the place: other settings and in what they differ, locked for over
/// a minute, no space, damaged, not a study, of another version, a server that does not answer for
/// about a minute.
std::unique_ptr<StudyStore> create_study(const std::string& place, const StudySettings& settings);

/// @param name  of the study, for a server.
/// @throws UserError as create_study() does, and where there is none.
std::unique_ptr<StudyStore> open_study(const std::string& place, const std::string& name);

}  // namespace xgen::search
