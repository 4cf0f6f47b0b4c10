"""Each of these edits makes the checker accept something false; each must break a proof.

Run by hand, `make -C proofs unsound-edits`, after the theorems have been built: every edit is made in a copy of coq/, which is then
compiled again. An edit that compiles to the end is printed as MISSED and the exit code is 1.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).parent / "coq"

# file, what it says, what it is changed to, what the checker would then accept
EDITS = [
    ("ApproximateInverse.v", "(2 * (sum_abs q * largest rows) <? B)", "true", "digits that overflow into each other"),
    ("ApproximateInverse.v", "forallb (fun u => 2 * Z.abs u <? B) e", "true", "digits that are too large"),
    ("ApproximateInverse.v", "(pack B e =? r)", "true", "a product that was only proposed"),
    ("ApproximateInverse.v", "if A <? D then", "if A <=? D then", "an approximate inverse that may be singular"),
    ("ApproximateInverse.v", "sum_abs_from (sum + Z.abs (D - u)) e'", "sum_abs_from sum e'", "a diagonal that is not near D"),
    ("ApproximateInverse.v", "((u - 1) mod q =? 0) && forallb", "forallb", "an inverse modulo q without its units"),
    ("Checker.v", "(norm * q <? gap b * snd equality_w)", "(norm * q <=? gap b * snd equality_w)", "a margin of nothing"),
    (
        "Checker.v",
        "| true, false => (Z.max 0 sigma, Z.max 0 (- sigma))",
        "| true, false => (Z.max 0 sigma, 0)",
        "a residual at a lower side",
    ),
    ("Checker.v", "is_equality r || (0 <=? w)", "true", "negative multipliers of inequalities"),
    ("Checker.v", "&& (residual_norm implied =? 0)", "", "exact multipliers that leave a residual"),
    ("Checker.v", "correction bound * reach covered e <? 0) strict", "0 <? 0) strict", "a ray without room for its correction"),
    (
        "Checker.v",
        "&& forallb (fun e => entry_dot d e <? 0) strict",
        "&& forallb (fun e => entry_dot d e <=? 0) strict",
        "a ray on the boundary",
    ),
    ("Checker.v", "if forallb (fun m => m) (tmap2 Bool.eqb due implicit)", "if true", "implicit equalities that are none"),
    ("Checker.v", "(0 <? factor rel)", "true", "a relation with factor 0"),
    ("Checker.v", "if (b : bool) && negb (c =? 0)", "if negb (c =? 0)", "a row related to rows that are not chosen"),
    ("Checker.v", "own :: after => negb (own =? 0) && is_zero after", "own :: after => is_zero after", "null vectors that are zero"),
    ("Checker.v", "&& forallb (fun e => entry_dot v e =? 0) es &&", "&&", "null vectors that are not in the kernel"),
    (
        "Checker.v",
        "Nat.eqb (number rows) (rank_value r) && Nat.eqb (number columns) (rank_value r)",
        "true",
        "a rank above that of the block",
    ),
    ("Checker.v", "match K with Box _ _ => true | _ => false end", "true", "boundedness without evidence on any domain"),
    ("Checker.v", "&& same_point (rectify l z) y", "", "a solution with another output"),
    ("Checker.v", "| Orthant => if forallb (Z.leb 0) sigma then", "| Orthant => if true then", "an infimum that is not one"),
    (
        "Checker.v",
        "Some (numerator, denominator) => 0 <? numerator",
        "Some (numerator, denominator) => 0 <=? numerator",
        "no contradiction",
    ),
    ("Systems.v", "negb marked || (0 <? v)", "negb marked || (0 <=? v)", "outputs at zero as equalities"),
    ("Systems.v", "in_P marked v || (v =? 0)", "in_P marked v", "a tight system without the rows at zero"),
    ("Systems.v", "(0 <? denominator p) && Nat.eqb", "Nat.eqb", "a denominator 0"),
    ("Systems.v", "Nat.eqb (inputs l) n && layer_ok l", "layer_ok l", "layers whose widths do not fit"),
    ("Systems.v", "(fun v hi => v * denominator upper <=? hi * denominator p)", "(fun v hi => true)", "points above the box"),
    ("CompositionChecks.v", "negb b || same_side (fst vw) (snd vw)", "true", "a segment along which a row changes its sign"),
    ("CompositionChecks.v", "negb b || keeps_sign (fst vu) (snd vu)", "true", "a direction along which a row changes its sign"),
    ("CompositionChecks.v", "if v <? 0 then 0 else Z.max 0 u", "0", "a direction that leaves the zero of a row"),
    ("CompositionChecks.v", "Row (exponent r) 0 (coefficients r)", "r", "a direction that moves with the biases"),
    ("CompositionChecks.v", "| Orthant => forallb (Z.leb 0) (numerators d)", "| Orthant => true", "a direction that leaves the orthant"),
    ("CompositionChecks.v", "| Box _ _ => false", "| Box _ _ => true", "a direction that leaves the box"),
    ("CompositionChecks.v", "dot (snd s) (numerators d) <=? 0", "true", "a direction that leaves the polytope"),
    ("CompositionChecks.v", "&& negb (is_zero (numerators d))", "", "a direction that is 0"),
    ("CompositionChecks.v", "Some u => is_zero (numerators u)", "Some u => true", "a direction that changes the output"),
    (
        "CompositionChecks.v",
        "(if forallb (fun b => b) (rectified l) then Orthant else AllSpace)",
        "Orthant",
        "an orthant after outputs without a relu",
    ),
    ("CompositionChecks.v", "Nat.eqb (part_layer p) (stage_layer s) &&", "", "a part that speaks of another layer"),
    ("CompositionChecks.v", "| [], [] => negb is_empty", "| [], [] => true", "no input where each layer has one"),
    ("CompositionChecks.v", "is_empty && match parts'", "match parts'", "one input where a layer has none"),
    ("CompositionChecks.v", "Preimage Singleton _ _ _, Some x =>", "Preimage _ _ _ _, Some x =>", "one input where a layer has many"),
    (
        "CompositionChecks.v",
        "Empty | Preimage Singleton _ _ _ => false",
        "Empty => false | Preimage Singleton _ _ _ => negb unbounded",
        "infinitely many inputs where the first layer has one",
    ),
    ("CompositionChecks.v", "Preimage _ _ _ _ => negb unbounded", "Preimage _ _ _ _ => true", "unbounded inputs without evidence"),
    ("CompositionChecks.v", "  contains K x\n  && match e with", "  match e with", "a point outside the domain"),
    ("CompositionChecks.v", "negb unbounded && point_ok n x'", "point_ok n x'", "unbounded inputs by a second point"),
    ("CompositionChecks.v", "&& contains K x' ", "", "a second point outside the domain"),
    ("CompositionChecks.v", "&& negb (same_point x x')", "", "a second point that is the first"),
    ("CompositionChecks.v", "Some y' => same_point y' y", "Some y' => true", "a second point with another output"),
    ("CompositionChecks.v", "(match K with Box _ _ => true | _ => false end) &&", "", "bounded inputs on any domain"),
    ("CompositionChecks.v", "| NoInput => one_or_none true", "| NoInput => one_or_none false", "no input where there is one"),
    ("CompositionChecks.v", "Nat.eqb (number (tmap (Z.ltb 0) (numerators y))) active", "true", "a wrong number of positive outputs"),
    (
        "CompositionChecks.v",
        "&& same_point (value_through ls x) y && infinite_ok",
        "&& infinite_ok",
        "infinitely many inputs from one with another output",
    ),
    ("CompositionChecks.v", "(if is_empty then 0%nat else 1%nat)", "0%nat", "one input where cases hold none"),
    (
        "CasesChecks.v",
        "| Some true => through_neurons unit z' known' column (opposite f :: reversed)",
        "| Some true => through_neurons unit z' known' column (f :: reversed)",
        "an active neuron that is not positive",
    ),
    (
        "CasesChecks.v",
        "(f :: reversed) (zeros (S columns) :: given)",
        "(f :: reversed) (f :: given)",
        "an inactive neuron that passes its value on",
    ),
    ("CasesChecks.v", "add_scaled (-1) h f :: opposite h", "add_scaled (-1) f h :: opposite h", "a free neuron that is at most its value"),
    ("CasesChecks.v", "CaseRow (in_P (snd vb) (fst vb))", "CaseRow true", "outputs of a case that are at zero as equalities"),
    ("CasesChecks.v", "tapp (opposite f) (zeros", "tapp f (zeros", "a case outside the domain"),
    ("CasesChecks.v", "(0 <? g) && Nat.eqb", "Nat.eqb", "a row of a case that is turned round"),
    (
        "CasesChecks.v",
        "pick (tmap (fun r => is_zero (pick others (tl (case_form r)))) rows) rows",
        "rows",
        "columns left out that a row reads",
    ),
    (
        "CasesChecks.v",
        "| _, _ => None\n    end\n  else None",
        "| _, _ => Some None\n    end\n  else None",
        "a case with infinitely many points",
    ),
    (
        "CasesChecks.v",
        "| Some points => held active (with_case_sign k j true signs) points",
        "| Some points => Some points",
        "a neuron that is only inactive",
    ),
    ("CasesChecks.v", "&& same_point (value_through (tapp before [l]) p) y", "", "a point of a case with another output"),
    ("CasesChecks.v", "point_ok n p && contains K p", "point_ok n p", "a point of a case outside the domain"),
    ("CasesChecks.v", "&& negb (existsb (same_point p) points)", "", "a point that counts twice"),
    ("CasesChecks.v", "Nat.eqb (size_of points) k", "Nat.leb k (size_of points)", "fewer inputs than cases hold"),
    ("InjectivityChecks.v", "&& negb (same_point x y)", "", "a collision of one point"),
    ("InjectivityChecks.v", "&& same_point (f x) (f y)", "", "a collision of two outputs"),
    ("InjectivityChecks.v", "&& convex_contains K x && convex_contains K y", "", "a collision outside the domain"),
    (
        "InjectivityChecks.v",
        "dot (numerators p) (numerators p) <=? (N * denominator p) * (N * denominator p)",
        "dot (numerators p) (numerators p) <=? 1 + (N * denominator p) * (N * denominator p)",
        "points outside the ball",
    ),
    ("InjectivityChecks.v", "(0 <=? total) && (N * N", "(N * N", "a form that is negative on all of a ball"),
    (
        "InjectivityChecks.v",
        "(N * N * dot sigma sigma <=? (D * total) * (D * total))",
        "(N * dot sigma sigma <=? (D * total) * (D * total))",
        "a form that is negative on the side of a ball",
    ),
    ("InjectivityChecks.v", "| Ball _ N => all_columns (N =? 0) n", "| Ball _ N => all_columns true n", "a ball as a point"),
    (
        "InjectivityChecks.v",
        "(if b then above t * denominator z else 0)",
        "(above t * denominator z)",
        "biases lowered that no relu follows",
    ),
    ("InjectivityChecks.v", "(total * below t - lowered)", "(total * below t)", "a dependency of the layer as it is"),
    ("InjectivityChecks.v", "(tmap2 andb low (rectified l))", "low", "a limit at a row that no relu follows"),
    ("InjectivityChecks.v", "v * below t <=? above t * denominator common", "true", "a limit below a row"),
    (
        "InjectivityChecks.v",
        "&& negb (same_point (first_direction c) (second_direction c))",
        "",
        "a limit by one point",
    ),
    (
        "InjectivityChecks.v",
        "point_ok (inputs l) p && convex_contains (limited_on c) p",
        "point_ok (inputs l) p",
        "a limit outside the domain",
    ),
    ("InjectivityChecks.v", "if 0 <? w then chosen", "if 0 <=? w then chosen", "multipliers that are 0"),
    ("InjectivityChecks.v", "negb (Nat.eqb (size_of terms) 0) &&", "", "a dependency of no rows"),
    ("InjectivityChecks.v", "0 <=? numerator + total", "-1 <=? numerator + total", "a dependency whose rows may all be negative"),
    ("InjectivityChecks.v", "forallb (dependency_holds t l K) (dependencies e)", "true", "dependencies that are none"),
    (
        "InjectivityChecks.v",
        "is_zero (combination ws (tmap snd sides) (zeros n)) && (dot",
        "(dot",
        "equal sides whose normals do not cancel",
    ),
    ("InjectivityChecks.v", "&& (dot ws (tmap fst sides) =? 0)", "", "equal sides with room between them"),
    ("InjectivityChecks.v", "Bool.eqb (u =? 0) (v =? 0) &&", "", "a row that is a multiple of a zero row"),
    ("InjectivityChecks.v", "v * x =? u * y", "true", "rows on different lines as multiples"),
    ("InjectivityChecks.v", "lo * denominator upper =? hi * denominator lower", "lo =? hi", "a column of a box that is not fixed"),
    ("InjectivityChecks.v", "Nat.eqb (rank_value r) (inputs l) &&", "", "a smaller rank"),
    ("InjectivityChecks.v", "Some rest => children (j :: outside) js' rest", "Some rest => Some rest", "a branch of one child"),
    ("InjectivityChecks.v", "Some rest => within outside j rest", "Some rest => Some rest", "a split of one child"),
    ("InjectivityChecks.v", "negb (is_among j outside)", "is_among j outside", "a branch over the excluded rows"),
    ("InjectivityChecks.v", "is_among (related r) outside\n               &&", "", "a contradiction with a row that is not excluded"),
    ("SparseNetwork.v", "forallb (fun t => Nat.ltb (fst t) n) (row_terms (fst rb))", "true", "terms beyond the last column"),
    ("WindowChecks.v", "| [], _ :: _ => None", "| [], _ :: _ => Some (rev_append reversed [])", "columns that a window reads left out"),
    ("WindowChecks.v", "(fun b c => b && negb c)", "(fun b c => negb c)", "columns as known that no window before reads"),
    ("WindowChecks.v", "else b :: mark_from", "else true :: mark_from", "columns as read beside those of a window"),
    ("WindowChecks.v", "forallb (fun b => b) (tmap2 orb read fixed)", "true", "columns that no window reads"),
    ("WindowChecks.v", "(Polyhedral part) e &&", "(Polyhedral part) e ||", "a window that is not injective"),
    ("WindowChecks.v", "&& same_layer (fst (snd p)) l ", "", "another layer as the same window"),
    ("WindowChecks.v", "&& same_domain (snd (snd p)) part", "", "another domain as the same window"),
    ("WindowChecks.v", "&& (constant r =? constant s)", "", "other biases as the same window"),
    ("WindowChecks.v", "&& same_list Bool.eqb (rectified l) (rectified m)", "", "other relus as the same window"),
    ("WindowChecks.v", "| AllSpace => Some AllSpace", "| AllSpace => Some Orthant", "an orthant as the window's domain"),
    ("ExpansionChecks.v", "then is_zero r && semidefinite", "then semidefinite", "a pivot 0 in a row that is not 0"),
    ("ExpansionChecks.v", "(0 <? p) && semidefinite", "semidefinite", "a negative pivot"),
    ("ExpansionChecks.v", "(fun x y => x =? f * y)", "(fun x y => true)", "a quotient with a remainder"),
    ("ExpansionChecks.v", "if is_among j inside then A else", "", "a row that counts twice"),
    ("ExpansionChecks.v", "negb (is_among i (fst A)) && are_multiples", "are_multiples", "a shortest row that counts twice"),
    ("ExpansionChecks.v", "(dot shortest shortest <=? dot (free_row i) (free_row i))", "true", "a row that is not the shortest"),
    ("ExpansionChecks.v", "are_multiples shortest (free_row i)", "true", "the shortest of rows on different lines"),
    ("ExpansionChecks.v", "Some rest => children (j :: outside) js' rest", "Some rest => Some rest", "one case of a dependency"),
    ("ExpansionChecks.v", "every_choice_closes jss' (with_row j A)) js", "every_choice_closes jss' A) js", "rows that are not chosen"),
    ("ExpansionChecks.v", "Some rest => check_case depth' outside (with_row j A) rest", "Some rest => Some rest", "one case of a row"),
    ("ExpansionChecks.v", "pick (tmap negb (rectified l))", "pick (rectified l)", "rectified rows as rows that always count"),
    ("ExpansionChecks.v", "tmap negb (fixed_columns n K)", "fixed_columns n K", "free columns left out"),
    ("Echelon.v", "if (u * c) mod q =? 1 then Some u else None", "Some u", "an inverse that was only proposed"),
    ("Echelon.v", "&& is_unit_row q j (pivot_row p)", "", "pivots that are not unit rows"),
    ("Echelon.v", "(w * c) mod q :: modulo_row", "c :: modulo_row", "rows combined in some columns alone"),
    (
        "Echelon.v",
        "product_of_pivots q left' n' (tmap (tmap (modulo_row q w v)) groups') ((p * w) mod q)",
        "product_of_pivots q left' n' (tmap (tmap (modulo_row q w v)) groups') p",
        "pivots that are not units",
    ),
    ("Echelon.v", "fold_left (fun p u => (p * u) mod q) (concat rows) product", "product", "choices of rows without their last one"),
    ("Echelon.v", "  | _, _, _ => 0\n", "  | _, _, _ => product\n", "choices of too few rows"),
    ("SkipChecks.v", "bound_of_rest c + sum_abs (form_carried c)", "bound_of_rest c", "a relu that takes nothing"),
    ("SkipChecks.v", "dot (tmap Z.abs (coefficients r))", "dot (coefficients r)", "rests that cancel"),
    ("SkipChecks.v", "(bound_of_rest c <? Z.abs u)", "(bound_of_rest c <=? Z.abs u)", "a skip that is as large as the rest"),
    ("SkipChecks.v", "(sum_abs (form_carried c) =? Z.abs u) &&", "", "an output that carries two inputs"),
    ("SkipChecks.v", "keeps_apart n cs && blocks_ok", "blocks_ok", "a block that loses its inputs"),
    ("SkipChecks.v", "match before, inverses with None, [] => true | _, _ => false end", "true", "a block without its end"),
    ("SkipChecks.v", "<? 2 * nth j l 0", "<? 4 * nth j l 0", "an input that others outweigh"),
    ("SkipChecks.v", "dot (tmap Z.abs multipliers)", "dot multipliers", "rests that cancel in a combination"),
    ("IntervalChecks.v", "(if 0 <? c then low else high)", "low", "upper ends as lower ones"),
    ("IntervalChecks.v", "if q * d =? b then", "if true then", "a quotient with a remainder"),
    ("IntervalChecks.v", "else if is_zero a' then", "else if true then", "a side of two coordinates as an end"),
    ("IntervalChecks.v", "(v <=? s * s)", "true", "a root that is too small"),
    ("IntervalChecks.v", "Some u => 0 <=? fst u", "Some u => true", "an image that leaves something out"),
    ("NetworkInjectivityChecks.v", "| NonNegative, NonNegative =>", "| NonNegative, _ =>", "an orthant for what may be negative"),
    (
        "NetworkInjectivityChecks.v",
        "then NonNegative else AllVectors",
        "then NonNegative else NonNegative",
        "unrectified outputs as an orthant",
    ),
    (
        "NetworkInjectivityChecks.v",
        "injective_by_evidence propose not_lowered l set (stage_by s)\n          &&",
        "",
        "a layer that is not injective",
    ),
    ("RegionTree.v", "(0 <? D) && forallb (fun m => 0 <=? m) ms", "(0 <? D)", "a form that follows by negative multipliers"),
    ("RegionTree.v", "(0 <=? c) && is_zero slope", "is_zero slope", "a form that is negative at the apex"),
    ("RegionTree.v", "if all_known s then advance", "if true then advance", "a layer whose neurons have both signs"),
    ("RegionTree.v", "if is_on known then fst v else", "if true then fst v else", "values of neurons that are not positive"),
    ("DefiniteChecks.v", "(0 <? p) && is_definite", "(0 <=? p) && is_definite", "a pivot 0"),
    ("DefiniteChecks.v", "is_settled s && has_definite_map s", "has_definite_map s", "a region that is not one"),
    ("DefiniteChecks.v", "is_settled s && has_definite_map s", "is_settled s", "a map that is not definite"),
    ("DefiniteChecks.v", "&& definite_in on (f :: rows) passed (with_sign place true s)", "", "a part that nothing is said of"),
    ("OrientationChecks.v", "(forallb (Z.eqb 1) signs || forallb (Z.eqb (-1)) signs)", "true", "determinants of both signs"),
    (
        "OrientationChecks.v",
        "forallb (fun r => 0 <? form_at x r)",
        "forallb (fun r => 0 <=? form_at x r)",
        "a point on the border of a region",
    ),
    (
        "OrientationChecks.v",
        "existsb (fun r => form_at x r <? 0)",
        "existsb (fun r => form_at x r <=? 0)",
        "a second point with the value, on a border",
    ),
    ("OrientationChecks.v", "&& same_point (value_of q x) y\n", "\n", "a point with another value"),
]

# what is extracted: an edit that does not compile there is no edit
EXTRACTED = {"Checker.v", "Systems.v", "ApproximateInverse.v", "Vectors.v", "Echelon.v", "RegionTree.v", "SparseNetwork.v"}


def compiled(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build what changed, with the project's own rules."""
    make = ["make", "-j2", "-f", "Makefile.coq"]
    return subprocess.run(make, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command


def broken_proof(edit: tuple[str, str, str, str]) -> str | None:
    """The file whose proof the edit breaks; None if none does."""
    name, old, new, _ = edit
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "coq"
        shutil.copytree(SOURCE, folder)
        text = (folder / name).read_text()
        if old not in text:
            sys.exit(f"{name} no longer says {old!r}; mend the list of edits")
        (folder / name).write_text(text.replace(old, new))
        result = compiled(folder)
        if result.returncode == 0:
            return None
        file = re.search(r'File "\./(\w+\.v)", line (\d+)', result.stderr)
        if file is None or file[1] in EXTRACTED or file[1].endswith("Checks.v"):
            sys.exit(f"{name}: {new!r} does not even compile:\n{result.stderr[-500:]}")
        return f"{file[1]}:{file[2]}"


def main() -> int:
    """Try every edit; the exit code is 1 if one breaks no proof."""
    missed = 0
    for edit in EDITS:
        begin = time.perf_counter()
        where = broken_proof(edit)
        missed += where is None
        print(f"{where or 'MISSED':>24}  {edit[0]}: {edit[3]} ({time.perf_counter() - begin:.0f} s)", flush=True)
    print(f"{len(EDITS) - missed} of {len(EDITS)} unsound edits break a proof")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
