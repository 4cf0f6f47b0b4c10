(* The activation regions of layers on a domain, from a tree of cells (section 4.13 of FORMAT.md): the patterns of its leaves.
   `regions_of_sound` in RegionTreeSound.v: whatever the oracle proposes, these are the patterns of the full-dimensional regions, each once.
   A form is the list b, a1, .., an, and stands for x |-> b + a.x; the rows of a cell are forms that are not negative there. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate Vectors Systems.
Import ListNotations.
Local Open Scope Z_scope.

Definition form := list Z.

(* A cell: marks of the rows of each of its cones; the neuron of its layer that cuts it, marks of the rows that its parts keep, and the
   parts, in which the neuron is not positive and is; or a region, and a point inside it. *)
Inductive region_tree :=
| Cut (cones : list (list bool)) (neuron : nat) (kept : list bool) (off on : region_tree)
| Region (cones : list (list bool)) (inside : point).

(* Where all rows of a cell are not negative: the signs of the neurons of the layers before, one after the other; the forms of a layer's
   rows, each with the mark whether a relu follows, over one denominator; the signs that are known; the layers to come. *)
Record stage := Stage {
  decided : list bool;
  unit_of : Z;
  forms : list (form * bool);
  signs : list (option bool);
  later : list layer }.

Section Oracle.
(* for rows and a form f any D > 0 and multipliers m >= 0 with D f = sum of m_i row_i + a number >= 0 *)
Variable propose : list form -> form -> Z * list Z.

(* f is not negative where the rows are not *)
Definition follows (rows : list form) (f : form) : bool :=
  let (D, ms) := propose rows f in
  (0 <? D) && forallb (fun m => 0 <=? m) ms
  && match combination (tmap Z.opp ms) rows (tmap (Z.mul D) f) with [] => true | c :: slope => (0 <=? c) && is_zero slope end.
Definition opposite (f : form) : form := tmap Z.opp f.

(* the sign of a neuron, if it is known or follows from the rows of a cone: a neuron that is 0 everywhere is not positive *)
Definition settle (cones : list (list form)) (v : form * bool) (known : option bool) : option bool :=
  match known with
  | Some _ => known
  | None =>
      if snd v then
        if is_zero (fst v) then Some false
        else if existsb (fun rows => follows rows (fst v)) cones then Some true
        else if existsb (fun rows => follows rows (opposite (fst v))) cones then Some false else None
      else None
  end.

Definition is_known (v : form * bool) (known : option bool) : bool := match known with Some _ => true | None => negb (snd v) end.
Definition all_known (s : stage) : bool := forallb (fun b => b) (tmap2 is_known (forms s) (signs s)).
Definition is_on (known : option bool) : bool := match known with Some true => true | _ => false end.
(* the signs of a layer's neurons *)
Definition pattern_of (s : stage) : list bool := tmap is_on (pick (tmap snd (forms s)) (signs s)).
(* what a layer gives to the next one *)
Definition given (v : form * bool) (known : option bool) : form :=
  if snd v then if is_on known then fst v else tmap (fun _ => 0) (fst v) else fst v.

Section Layers.
Variable n : nat.

Definition next_form (low unit : Z) (inputs : list form) (r : row) : form :=
  tmap (fun c => Z.shiftl c (exponent r - low)) (combination (coefficients r) inputs (constant r * unit :: zeros n)).
Definition enter (s : stage) (l : layer) (ls : list layer) : stage :=
  let low := lowest_exponent (rows l) in
  let inputs := tmap2 given (forms s) (signs s) in
  Stage (tapp (decided s) (pattern_of s)) (Z.shiftl (unit_of s) (- low))
    (tmap2 pair (tmap (next_form low (unit_of s) inputs) (rows l)) (rectified l)) (tmap (fun _ => None) (rectified l)) ls.
Definition settled (cones : list (list form)) (s : stage) : stage :=
  Stage (decided s) (unit_of s) (forms s) (tmap2 (settle cones) (forms s) (signs s)) (later s).
(* the first layer of which not all signs are known, or the last one *)
Fixpoint advance (cones : list (list form)) (ls : list layer) (s : stage) : stage :=
  let s := settled cones s in
  match ls with
  | [] => s
  | l :: ls' => if all_known s then advance cones ls' (enter s l ls') else s
  end.

Fixpoint put (j : nat) (b : bool) (known : list (option bool)) : list (option bool) :=
  match known, j with
  | [], _ => []
  | _ :: known', O => Some b :: known'
  | k :: known', S j' => k :: put j' b known'
  end.
Definition with_sign (j : nat) (b : bool) (s : stage) : stage :=
  Stage (decided s) (unit_of s) (forms s) (put j b (signs s)) (later s).

(* The patterns of the regions in a cell; None if the tree does not prove them. *)
Fixpoint regions_of (t : region_tree) (rows : list form) (s : stage) : option (list (list bool)) :=
  match t with
  | Region cones p =>
      let s := advance (tmap (fun marks => pick marks rows) cones) (later s) s in
      if all_known s && match later s with [] => true | _ => false end
         && (0 <? denominator p) && Nat.eqb (size_of (numerators p)) n
         && forallb (fun r => 0 <? dot r (denominator p :: numerators p)) rows
      then Some [tapp (decided s) (pattern_of s)] else None
  | Cut cones j kept off on =>
      let s := advance (tmap (fun marks => pick marks rows) cones) (later s) s in
      let rows' := pick kept rows in
      match nth_error (forms s) j with
      | Some (f, true) =>
          if negb (is_zero f) && forallb (follows rows') rows
          then match regions_of off (opposite f :: rows') (with_sign j false s), regions_of on (f :: rows') (with_sign j true s) with
               | Some ps, Some qs => Some (tapp ps qs)
               | _, _ => None
               end
          else None
      | _ => None
      end
  end.

(* the coordinates, before the first layer *)
Definition coordinate (j : nat) : form := repeat_onto 0 (S j) (1 :: zeros (n - S j)).
Definition first_stage (ls : list layer) : stage :=
  Stage [] 1 (tmap (fun j => (coordinate j, false)) (seq 0 n)) (repeat_onto None n []) ls.

(* forms that are not negative exactly on the domain *)
Definition domain_rows (K : domain) : list form :=
  match K with
  | AllSpace => []
  | Orthant => tmap coordinate (seq 0 n)
  | Box lower upper =>
      tapp (tmap (fun j => - nth j (numerators lower) 0 :: tmap (Z.mul (denominator lower)) (tl (coordinate j))) (seq 0 n))
           (tmap (fun j => nth j (numerators upper) 0 :: tmap (Z.mul (- denominator upper)) (tl (coordinate j))) (seq 0 n))
  | Polytope sides => tmap (fun s => opposite (fst s :: snd s)) sides
  end.
End Layers.
End Oracle.

Definition check_patterns (propose : list form -> form -> Z * list Z) (n : nat) (ls : list layer) (K : domain) (t : region_tree) :=
  regions_of propose n t (domain_rows n K) (first_stage n ls).
