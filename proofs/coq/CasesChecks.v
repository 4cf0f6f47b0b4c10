(* The checker of a tree of cases (section 4.9 of FORMAT.md; P2, C1): in each of them some hidden neurons are known to be active or
   inactive, and a layer of its own, of which `check` decides a claim, stands for the inputs with the output.  `held_sound` in
   CasesSound.v: whatever the oracles propose, the points that are held are the inputs in the domain that have the output, each once.
   A form is a list b, a1, .., an and stands for x |-> b + a.x, as in RegionTree.v; its columns are those of x and of the values of the
   neurons that have no sign. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate Vectors ApproximateInverse Systems Checker RegionTree.
Import ListNotations.
Local Open Scope Z_scope.

(* for every layer, for every row of it: whether this neuron is active, where that is known *)
Definition case_signs := list (list (option bool)).
(* the row of a leaf's layer that is 0, or at most 0, where the form is *)
Record case_row := CaseRow { is_zero_there : bool; case_form : form }.

(* ---------- the rows of a case ---------- *)

Definition is_free (marked : bool) (known : option bool) : bool := marked && match known with None => true | Some _ => false end.
Fixpoint free_neurons (ls : list layer) (signs : case_signs) (count : nat) : nat :=
  match ls, signs with
  | l :: ls', known :: signs' => free_neurons ls' signs' (number_from count (tmap2 is_free (rectified l) known))
  | _, _ => count
  end.

Section Columns.
Variable columns : nat.

(* a layer's forms before the relu, with the column of its first free neuron; its rows are put onto others *)
Fixpoint through_neurons (unit : Z) (z : list (form * bool)) (known : list (option bool)) (column : nat) (reversed given : list form)
    : nat * list form * list form :=
  match z, known with
  | (f, marked) :: z', sign :: known' =>
      if marked then
        match sign with
        | Some true => through_neurons unit z' known' column (opposite f :: reversed) (f :: given)
        | Some false => through_neurons unit z' known' column (f :: reversed) (zeros (S columns) :: given)
        | None =>
            let h := tmap (Z.mul unit) (coordinate columns column) in
            through_neurons unit z' known' (S column) (add_scaled (-1) h f :: opposite h :: reversed) (h :: given)
        end
      else through_neurons unit z' known' column reversed (f :: given)
  | _, _ => (column, reversed, rev_append given [])
  end.

Definition unit_after (l : layer) (unit : Z) : Z := Z.shiftl unit (- lowest_exponent (rows l)).
Definition forms_after (l : layer) (unit : Z) (given : list form) : list form :=
  tmap (next_form columns (lowest_exponent (rows l)) unit given) (rows l).

(* the denominator and the forms of what the layers give *)
Fixpoint through_layers (ls : list layer) (signs : case_signs) (unit : Z) (given : list form) (column : nat) (reversed : list form)
    : Z * list form * list form :=
  match ls, signs with
  | l :: ls', known :: signs' =>
      let '(column, reversed, next) :=
        through_neurons (unit_after l unit) (tmap2 pair (forms_after l unit given) (rectified l)) known column reversed [] in
      through_layers ls' signs' (unit_after l unit) next column reversed
  | _, _ => (unit, given, reversed)
  end.

(* the last layer's rows: y where it is positive or no relu follows, at most 0 elsewhere *)
Definition output_rows (l : layer) (unit : Z) (given : list form) (y : point) : list case_row :=
  tmap2 (fun f vb => CaseRow (in_P (snd vb) (fst vb)) (add_scaled (- (fst vb * unit_after l unit)) [1] (tmap (Z.mul (denominator y)) f)))
        (forms_after l unit given) (tmap2 pair (numerators y) (rectified l)).

Definition case_rows (before : list layer) (l : layer) (n : nat) (K : domain) (y : point) (signs : case_signs) : list case_row :=
  let '(unit, given, reversed) := through_layers before signs 1 (tmap (coordinate columns) (seq 0 n)) n [] in
  let of_domain := tmap (fun f => tapp (opposite f) (zeros (columns - n))) (domain_rows n K) in
  tapp (rev_append (tmap (CaseRow false) reversed) []) (tapp (output_rows l unit given y) (tmap (CaseRow false) of_domain)).
End Columns.

(* ---------- the layer of a case ---------- *)

(* Marks of so many columns, from the last one on, put onto others; rows are given from their last number on.  Not marked are those that
   only two rows read, a neuron's own; these rows go with them. *)
Fixpoint read_columns (count : nat) (rows : list (list Z)) (marks : list bool) : list bool :=
  match count with
  | O => marks
  | S count' =>
      let unread := tmap (fun r => hd 0 r =? 0) rows in
      if Nat.leb (number (tmap negb unread)) 2 then read_columns count' (tmap (@tl Z) (pick unread rows)) (false :: marks)
      else read_columns count' (tmap (@tl Z) rows) (true :: marks)
  end.

Section Oracles.
Variable propose : oracle.
(* for integers a any g, q and e; used where g > 0 and a = g q *)
Variable reduce : list Z -> Z * list Z * Z.

(* a multiple, by a positive number, of the form in the columns that are marked *)
Definition layer_row (marks : list bool) (f : form) : row :=
  let a := hd 0 f :: pick marks (tl f) in
  let '(g, q, e) := reduce a in
  if (0 <? g) && Nat.eqb (size_of q) (size_of a) && forallb (fun b => b) (tmap2 (fun u v => u =? g * v) a q)
  then Row e (hd 0 q) (tl q) else Row 0 (hd 0 a) (tl a).
Definition layer_of_rows (marks : list bool) (rows : list case_row) : layer :=
  let others := tmap negb marks in
  let kept := pick (tmap (fun r => is_zero (pick others (tl (case_form r)))) rows) rows in
  Layer (number marks) (tmap (fun r => layer_row marks (case_form r)) kept) (tmap (fun r => negb (is_zero_there r)) kept).
Definition case_layer (before : list layer) (l : layer) (n : nat) (K : domain) (y : point) (signs : case_signs) : layer :=
  let free := free_neurons before signs 0 in
  let rows := case_rows (n + free) before l n K y signs in
  layer_of_rows (repeat_onto true n (read_columns free (tmap (fun r => rev_append (case_form r) []) rows) [])) rows.

(* ---------- the tree ---------- *)

Section Tree.
Variables (n : nat) (before : list layer) (l : layer) (K : domain) (y : point).

(* the only input that a leaf may hold; None if it is not proved that there are no others *)
Definition leaf_point (signs : case_signs) (c : claim) (evidences : list evidence) : option (option point) :=
  let leaf := case_layer before l n K y signs in
  let zero := Point 1 (zeros (size_of (rows leaf))) in
  if check propose (Network (inputs leaf) [leaf]) (Certificate 1 AllSpace (LayerOutput zero) c evidences)
  then
    match c, evidences with
    | Empty, _ => Some None
    | Preimage Singleton _ _ _, Solution p :: _ => Some (Some (Point (denominator p) (fst (split_at n (numerators p)))))
    | _, _ => None
    end
  else None.

Definition replace {A : Type} (i : nat) (a : A) (s : list A) : list A :=
  match split_at i s with (s1, _ :: s2) => tapp s1 (a :: s2) | _ => s end.
Definition has_no_sign (k j : nat) (signs : case_signs) : bool :=
  match nth_error before k, nth_error signs k with
  | Some l, Some known => match nth_error (rectified l) j, nth_error known j with Some true, Some None => true | _, _ => false end
  | _, _ => false
  end.
Definition with_case_sign (k j : nat) (b : bool) (signs : case_signs) : case_signs := replace k (replace j (Some b) (nth k signs [])) signs.

(* the points that are held, each once, put onto others *)
Fixpoint held (t : case_tree) (signs : case_signs) (points : list point) : option (list point) :=
  match t with
  | Divide (S k) j inactive active =>
      if has_no_sign k j signs then
        match held inactive (with_case_sign k j false signs) points with
        | Some points => held active (with_case_sign k j true signs) points
        | None => None
        end
      else None
  | Divide O _ _ _ => None
  | Leaf c evidences =>
      match leaf_point signs c evidences with
      | None => None
      | Some None => Some points
      | Some (Some p) =>
          if point_ok n p && contains K p && same_point (value_through (tapp before [l]) p) y
             && negb (existsb (same_point p) points)
          then Some (p :: points) else Some points
      end
  end.

(* the tree proves that the inputs are exactly so many *)
Definition cases_ok (k : nat) (t : case_tree) : bool :=
  forallb (fun b => b) (tmap2 (fun v (marked : bool) => negb marked || (0 <=? v)) (numerators y) (rectified l))
  && match held t (tmap (fun l => tmap (fun _ => None) (rectified l)) before) [] with
     | Some points => Nat.eqb (size_of points) k
     | None => false
     end.
End Tree.
End Oracles.
