#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/error.h"

namespace dspark {

/// A script of experiments/figures/ and the interpreter that can run it.
struct FigureProgram {
  std::string python;
  std::string script;
};

/// script: `plot.py` or one beside it. The folder is that of $DSPARK_FIGURES (which names plot.py), else that
/// beside an installed program, else the source tree's; python is $DSPARK_PYTHON, else the first of the
/// path's and the system's python3 that has h5py, numpy and matplotlib. Errors: either is missing (exit code
/// 3).
Result<FigureProgram> find_figure_program(const std::string& script);

/// What is wrong with NAME.png as the place of a figure that a program draws: another suffix, or something
/// that is no regular file is there.
std::optional<Error> wrong_figure_path(const std::string& path);

/// Becomes the program; returns only where that failed.
Error replace_by_figure_program(const FigureProgram& program, const std::vector<std::string>& arguments);

/// Runs it with `input` on its standard input and gives its exit code. Errors: it could not be started.
Result<int> run_figure_program(const FigureProgram& program, const std::vector<std::string>& arguments,
                               const std::string& input);

}  // namespace dspark
