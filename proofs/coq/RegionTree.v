(* The activation regions of layers on a domain, from a tree of cells (R3; section 4.13 of FORMAT.md): the patterns of its leaves.
   `regions_of_sound` in RegionTreeSound.v: whatever the oracle proposes, these are the patterns of the full-dimensional regions, each once.
   A form is the list b, a1, .., an, and stands for x |-> b + a.x; the rows of a cell, the last one first, are forms that are not negative
   there. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate RegionCertificate Vectors Systems.
Import ListNotations.
Local Open Scope Z_scope.

Definition form := list Z.

(* Where all rows of a cell are not negative: the signs of the neurons of the layers before, one after the other; the forms of a layer's
   rows, each with the mark whether a relu follows, over one denominator; the signs that are known; the layers to come. *)
Record layer_in_cell := LayerInCell {
  decided : list bool;
  unit_of : Z;
  forms : list (form * bool);
  signs : list (option bool);
  later : list layer }.

Section Oracle.
(* for cones, each as its rows, and a form f: the number of one of them, any D > 0 and multipliers m >= 0 with
   D f = sum of m_i row_i + a number >= 0 *)
Variable propose : list (list form) -> form -> nat * (Z * list Z).
(* for rows any point at which all of them are positive *)
Variable inside_of : list form -> point.

(* f is not negative where the rows of one of the cones are not *)
Definition follows (cones : list (list form)) (f : form) : bool :=
  let '(i, (D, ms)) := propose cones f in
  match nth_error cones i with
  | Some rows =>
      (0 <? D) && forallb (fun m => 0 <=? m) ms
      && match combination (tmap Z.opp ms) rows (tmap (Z.mul D) f) with [] => true | c :: slope => (0 <=? c) && is_zero slope end
  | None => false
  end.
Definition opposite (f : form) : form := tmap Z.opp f.

(* the sign of a neuron, if it is known or follows from one of the cones: a neuron that is 0 everywhere is not positive *)
Definition settle (cones : list (list form)) (v : form * bool) (known : option bool) : option bool :=
  match known with
  | Some _ => known
  | None =>
      if snd v then
        if is_zero (fst v) then Some false
        else if follows cones (fst v) then Some true
        else if follows cones (opposite (fst v)) then Some false else None
      else None
  end.

Definition is_known (v : form * bool) (known : option bool) : bool := match known with Some _ => true | None => negb (snd v) end.
Definition all_known (s : layer_in_cell) : bool := forallb (fun b => b) (tmap2 is_known (forms s) (signs s)).
Definition is_on (known : option bool) : bool := match known with Some true => true | _ => false end.
(* the signs of a layer's neurons *)
Definition pattern_of (s : layer_in_cell) : list bool := tmap is_on (pick (tmap snd (forms s)) (signs s)).
(* what a layer gives to the next one *)
Definition given (v : form * bool) (known : option bool) : form :=
  if snd v then if is_on known then fst v else tmap (fun _ => 0) (fst v) else fst v.

Definition given_forms (s : layer_in_cell) : list form := tmap2 given (forms s) (signs s).

Section Layers.
Variable n : nat.

Definition next_form (low unit : Z) (inputs : list form) (r : row) : form :=
  tmap (fun c => Z.shiftl c (exponent r - low)) (combination (coefficients r) inputs (constant r * unit :: zeros n)).
Definition enter (s : layer_in_cell) (l : layer) (ls : list layer) : layer_in_cell :=
  let low := lowest_exponent (rows l) in
  let inputs := given_forms s in
  LayerInCell (tapp (decided s) (pattern_of s)) (Z.shiftl (unit_of s) (- low))
    (tmap2 pair (tmap (next_form low (unit_of s) inputs) (rows l)) (rectified l)) (tmap (fun _ => None) (rectified l)) ls.
Definition settled (cones : list (list form)) (s : layer_in_cell) : layer_in_cell :=
  LayerInCell (decided s) (unit_of s) (forms s) (tmap2 (settle cones) (forms s) (signs s)) (later s).
(* The first layer of which not all signs are known, or the last one; `new` are the cones from which signs of the layer where one stands
   may follow, and those of later ones from `all`. *)
Fixpoint advance (new all : list (list form)) (ls : list layer) (s : layer_in_cell) : layer_in_cell :=
  let s := settled new s in
  match ls with
  | [] => s
  | l :: ls' => if all_known s then advance all all ls' (enter s l ls') else s
  end.
Definition cones_of (rows : list form) (marks : list (list bool)) : list (list form) := tmap (fun m => pick m rows) marks.
(* how the layers stand in a cell with these cones *)
Definition settled_in (rows : list form) (new inherited : list (list bool)) (s : layer_in_cell) : layer_in_cell :=
  let cones := cones_of rows new in advance cones (tapp cones (cones_of rows inherited)) (later s) s.
(* the cones of a part of a cell that keeps these rows, after its own one: those of the cell that have no other row *)
Definition passed_on (kept : list bool) (cones : list (list bool)) : list (list bool) :=
  tmap (fun marks => false :: pick kept marks) (filter (fun marks => forallb (fun b => b) (tmap2 implb marks kept)) cones).
Definition is_settled (s : layer_in_cell) : bool := all_known s && match later s with [] => true | _ => false end.

Fixpoint put (j : nat) (b : bool) (known : list (option bool)) : list (option bool) :=
  match known, j with
  | [], _ => []
  | _ :: known', O => Some b :: known'
  | k :: known', S j' => k :: put j' b known'
  end.
Definition with_sign (j : nat) (b : bool) (s : layer_in_cell) : layer_in_cell :=
  LayerInCell (decided s) (unit_of s) (forms s) (put j b (signs s)) (later s).

(* the place of neuron j among all rows of a layer *)
Fixpoint place_from (place : nat) (vs : list (form * bool)) (j : nat) : nat :=
  match vs, j with
  | [], _ => place
  | (_, false) :: vs', _ => place_from (S place) vs' j
  | (_, true) :: vs', O => place
  | (_, true) :: vs', S j' => place_from (S place) vs' j'
  end.
(* a neuron of a layer, and where it stands among all rows *)
Definition neuron_of (s : layer_in_cell) (j : nat) : option (nat * form) :=
  let place := place_from 0 (forms s) j in
  match nth_error (forms s) place with Some (f, true) => Some (place, f) | _ => None end.

(* The patterns of the regions in a cell; None if the tree does not prove them. *)
Fixpoint regions_of (t : region_tree) (rows : list form) (inherited : list (list bool)) (s : layer_in_cell) : option (list (list bool)) :=
  match t with
  | Region new =>
      let s := settled_in rows new inherited s in
      let p := inside_of rows in
      if is_settled s && point_ok n p && forallb (fun r => 0 <? dot r (denominator p :: numerators p)) rows
      then Some [tapp (decided s) (pattern_of s)] else None
  | Cut new j kept off on =>
      let s := settled_in rows new inherited s in
      let rows' := pick kept rows in
      let passed := passed_on kept (tapp new inherited) in
      match neuron_of s j with
      | Some (place, f) =>
          if negb (is_zero f) && forallb (follows [rows']) rows
          then
            match regions_of off (opposite f :: rows') passed (with_sign place false s),
                  regions_of on (f :: rows') passed (with_sign place true s) with
            | Some ps, Some qs => Some (tapp ps qs)
            | _, _ => None
            end
          else None
      | None => None
      end
  end.

(* the coordinates, before the first layer *)
Definition coordinate (j : nat) : form := repeat_onto 0 (S j) (1 :: zeros (n - S j)).
Definition first_layer (ls : list layer) : layer_in_cell :=
  LayerInCell [] 1 (tmap (fun j => (coordinate j, false)) (seq 0 n)) (repeat_onto None n []) ls.

(* forms that are not negative exactly on the domain *)
Definition domain_rows (K : domain) : list form :=
  match K with
  | AllSpace => []
  | Orthant => tmap coordinate (seq 0 n)
  | Box lower upper =>
      concat (tmap (fun j => [- nth j (numerators lower) 0 :: tmap (Z.mul (denominator lower)) (tl (coordinate j));
                              nth j (numerators upper) 0 :: tmap (Z.mul (- denominator upper)) (tl (coordinate j))]) (seq 0 n))
  | Polytope sides => tmap (fun s => opposite (fst s :: snd s)) sides
  end.
Definition is_constant (f : form) : bool := is_zero (tl f).
Definition first_rows (K : domain) : list form := filter (fun f => negb (is_constant f)) (rev (domain_rows K)).
(* the sides that are the same everywhere leave nothing out *)
Definition constants_ok (K : domain) : bool := forallb (fun f => negb (is_constant f) || (0 <=? hd 0 f)) (domain_rows K).
End Layers.
End Oracle.

Definition check_patterns propose inside_of (n : nat) (ls : list layer) (K : domain) (t : region_tree) : option (list (list bool)) :=
  if constants_ok n K then regions_of propose inside_of n t (first_rows n K) [] (first_layer n ls) else None.
