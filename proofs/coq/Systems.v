(* The layer at a point, and the systems of linear conditions that a claim comes down to (sections 3.2 and 3.3 of FORMAT.md).
   Nothing here is read from the evidence. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate Vectors.
Import ListNotations.
Local Open Scope Z_scope.

(* ---------- well-formed data ---------- *)

Definition layer_ok (l : layer) : bool :=
  Nat.eqb (size_of (rectified l)) (size_of (rows l))
  && forallb (fun r => Nat.eqb (size_of (coefficients r)) (inputs l)) (rows l).
Fixpoint widths_ok (n : nat) (ls : list layer) : bool :=
  match ls with
  | [] => true
  | l :: ls' => Nat.eqb (inputs l) n && layer_ok l && widths_ok (size_of (rows l)) ls'
  end.
Definition network_ok (net : network) : bool := widths_ok (network_inputs net) (layers net).

Definition point_ok (n : nat) (p : point) : bool := (0 <? denominator p) && Nat.eqb (size_of (numerators p)) n.

Definition domain_ok (n : nat) (K : domain) : bool :=
  match K with
  | AllSpace | Orthant => true
  | Box lower upper =>
      point_ok n lower && point_ok n upper
      && forallb (fun b => b)
           (tmap2 (fun lo hi => lo * denominator upper <=? hi * denominator lower) (numerators lower) (numerators upper))
  | Polytope sides => forallb (fun s => Nat.eqb (size_of (snd s)) n) sides
  end.

(* ---------- evaluation ---------- *)

Definition lowest_exponent (rs : list row) : Z := fold_left (fun m r => Z.min m (exponent r)) rs 0.
(* the rows' values, over one denominator *)
Definition row_values (l : layer) (p : point) : point :=
  let low := lowest_exponent (rows l) in
  Point (Z.shiftl (denominator p) (- low))
        (tmap (fun r => Z.shiftl (constant r * denominator p + dot (coefficients r) (numerators p)) (exponent r - low)) (rows l)).
Definition rectify (l : layer) (z : point) : point :=
  Point (denominator z) (tmap2 (fun v (b : bool) => if b then Z.max 0 v else v) (numerators z) (rectified l)).
Definition layer_value (l : layer) (p : point) : point := rectify l (row_values l p).

Definition contains (K : domain) (p : point) : bool :=
  match K with
  | AllSpace => true
  | Orthant => forallb (Z.leb 0) (numerators p)
  | Box lower upper =>
      forallb (fun b => b) (tmap2 (fun lo v => lo * denominator p <=? v * denominator lower) (numerators lower) (numerators p))
      && forallb (fun b => b) (tmap2 (fun v hi => v * denominator upper <=? hi * denominator p) (numerators p) (numerators upper))
  | Polytope sides => forallb (fun s => fst s * denominator p + dot (snd s) (numerators p) <=? 0) sides
  end.

(* p and p' are the same point *)
Definition same_point (p p' : point) : bool :=
  Nat.eqb (size_of (numerators p)) (size_of (numerators p'))
  && forallb (fun b => b) (tmap2 (fun u v => u * denominator p' =? v * denominator p) (numerators p) (numerators p')).

(* ---------- systems ---------- *)

(* normal.d = 0 or normal.d <= 0.  The row itself is a positive number times the normal; the evidence's multipliers are for
   the row, and multiplier * weight * 2^binary, up to one factor for the whole system, is what they are for the normal. *)
Record general_row := GeneralRow { is_equality : bool; weight : positive; binary : Z; normal : list Z }.
(* general rows; then sides d_j >= 0 (lower) and d_j <= 0 (upper), marked column by column *)
Record system := System { columns : nat; general : list general_row; lower_sides : list bool; upper_sides : list bool }.

Definition nonzero_rows (rs : list general_row) : list general_row := pick (tmap (fun r => negb (is_zero (normal r))) rs) rs.
Definition layer_general (equality : bool) (r : row) : general_row := GeneralRow equality 1%positive (exponent r) (coefficients r).
Definition polytope_general (s : Z * list Z) : general_row := GeneralRow false 1%positive 0 (snd s).
Definition all_columns (b : bool) (n : nat) : list bool := repeat_onto b n [].

(* A base point x0, and the values z of the rows there (over a positive denominator). *)
(* P: not rectified, or positive *)
Definition in_P (marked : bool) (v : Z) : bool := negb marked || (0 <? v).
(* the rows of P: A_P *)
Definition active_rows (l : layer) (z : point) : list general_row :=
  tmap (layer_general true) (pick (tmap2 in_P (rectified l) (numerators z)) (rows l)).

Definition tight_layer_rows (l : layer) (z : point) : list general_row :=
  pick (tmap2 (fun marked v => in_P marked v || (v =? 0)) (rectified l) (numerators z))
       (tmap2 (fun r e => layer_general e r) (rows l) (tmap2 in_P (rectified l) (numerators z))).
Definition tight_system (l : layer) (K : domain) (x z : point) : system :=
  let n := inputs l in
  let d := denominator x in
  let none := all_columns false n in
  let rows_of K :=
    match K with
    | Polytope sides =>
        tmap polytope_general (pick (tmap (fun s => fst s * d + dot (snd s) (numerators x) =? 0) sides) sides)
    | _ => []
    end in
  let '(lower, upper) :=
    match K with
    | Orthant => (tmap (Z.eqb 0) (numerators x), none)
    | Box lo hi => (tmap2 (fun b v => b * d =? v * denominator lo) (numerators lo) (numerators x),
                    tmap2 (fun b v => b * d =? v * denominator hi) (numerators hi) (numerators x))
    | _ => (none, none)
    end in
  System n (nonzero_rows (tapp (tight_layer_rows l z) (rows_of K))) lower upper.

Definition recession_system (l : layer) (K : domain) (z : point) : system :=
  let n := inputs l in
  let layer_rows := tmap2 (fun r e => layer_general e r) (rows l) (tmap2 in_P (rectified l) (numerators z)) in
  let polytope_rows := match K with Polytope sides => tmap polytope_general sides | _ => [] end in
  let lower := all_columns (match K with Orthant | Box _ _ => true | _ => false end) n in
  let upper := all_columns (match K with Box _ _ => true | _ => false end) n in
  System n (nonzero_rows (tapp layer_rows polytope_rows)) lower upper.

(* up 2^E = numerator, down 2^E = denominator of 2^E *)
Definition up (e : Z) : Z := Z.shiftl 1 (Z.max 0 e).
Definition down (e : Z) : Z := Z.shiftl 1 (Z.max 0 (- e)).

(* the box's conditions in homogeneous coordinates, column by column: [-e_j | lo_j] and [e_j | -hi_j] *)
Fixpoint box_rows (n j : nat) (dl dh : Z) (wl wh : positive) (lo hi : list Z) : list general_row :=
  match lo, hi with
  | l :: lo', h :: hi' =>
      GeneralRow false wl 0 (repeat_onto 0 j (- dl :: repeat_onto 0 (n - S j) [l]))
      :: GeneralRow false wh 0 (repeat_onto 0 j (dh :: repeat_onto 0 (n - S j) [- h]))
      :: box_rows n (S j) dl dh wl wh lo' hi'
  | _, _ => []
  end.

(* in the unknowns (d, t): its elements with t = 1 are the pre-image of y (C1) *)
Definition homogenised_system (l : layer) (K : domain) (y : point) : system :=
  let n := inputs l in
  let Y := denominator y in
  let '(dl, dh) := match K with Box lo hi => (denominator lo, denominator hi) | _ => (1, 1) end in
  let equality_row (r : row) (v : Z) :=
    let f := Y * up (exponent r) in
    GeneralRow true (Z.to_pos (dl * dh)) (- Z.max 0 (- exponent r))
      (tapp (tmap (Z.mul f) (coefficients r)) [constant r * f - v * down (exponent r)]) in
  let layer_row (r : row) (vb : Z * bool) :=
    let '(v, marked) := vb in
    if in_P marked v then equality_row r v
    else GeneralRow false (Z.to_pos (Y * dl * dh)) (exponent r) (tapp (coefficients r) [constant r]) in
  let layer_rows := tmap2 layer_row (rows l) (tmap2 pair (numerators y) (rectified l)) in
  let domain_rows :=
    match K with
    | Polytope sides => tmap (fun s => GeneralRow false (Z.to_pos (Y * dl * dh)) 0 (tapp (snd s) [fst s])) sides
    | Box lo hi => box_rows n 0 dl dh (Z.to_pos (Y * dh)) (Z.to_pos (Y * dl)) (numerators lo) (numerators hi)
    | _ => []
    end in
  let lower := match K with Orthant => all_columns true (S n) | _ => tapp (all_columns false n) [true] end in
  System (S n) (nonzero_rows (tapp layer_rows domain_rows)) lower (all_columns false (S n)).
