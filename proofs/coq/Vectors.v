(* Executable operations on vectors of integers.  Everything that walks along a row is tail-recursive, so that a row of a
   million entries needs no stack. *)
From Coq Require Import ZArith List Bool.
Import ListNotations.
Local Open Scope Z_scope.

Fixpoint map_onto {A B : Type} (f : A -> B) (l : list A) (reversed : list B) : list B :=
  match l with [] => rev_append reversed [] | a :: l' => map_onto f l' (f a :: reversed) end.
Definition tmap {A B : Type} (f : A -> B) (l : list A) : list B := map_onto f l [].

Fixpoint map2_onto {A B C : Type} (f : A -> B -> C) (l : list A) (m : list B) (reversed : list C) : list C :=
  match l, m with
  | a :: l', b :: m' => map2_onto f l' m' (f a b :: reversed)
  | _, _ => rev_append reversed []
  end.
(* as long as the shorter one *)
Definition tmap2 {A B C : Type} (f : A -> B -> C) (l : list A) (m : list B) : list C := map2_onto f l m [].

Definition tapp {A : Type} (l m : list A) : list A := rev_append (rev_append l []) m.

Fixpoint count_onto {A : Type} (n : nat) (l : list A) : nat :=
  match l with [] => n | _ :: l' => count_onto (S n) l' end.
Definition size_of {A : Type} (l : list A) : nat := count_onto 0 l.

Fixpoint repeat_onto {A : Type} (a : A) (n : nat) (l : list A) : list A :=
  match n with O => l | S n' => repeat_onto a n' (a :: l) end.
Definition zeros (n : nat) : list Z := repeat_onto 0 n [].

Fixpoint dot_from (sum : Z) (a x : list Z) : Z :=
  match a, x with u :: a', v :: x' => dot_from (sum + u * v) a' x' | _, _ => sum end.
(* sum of a_i x_i, over the shorter length *)
Definition dot (a x : list Z) : Z := dot_from 0 a x.

Fixpoint add_scaled_onto (reversed : list Z) (l : Z) (a acc : list Z) : list Z :=
  match a, acc with
  | [], _ => rev_append reversed acc
  | _, [] => rev_append reversed (tmap (Z.mul l) a)
  | x :: a', y :: acc' => add_scaled_onto ((y + l * x) :: reversed) l a' acc'
  end.
(* acc + l * a; the shorter one is padded with zeros *)
Definition add_scaled (l : Z) (a acc : list Z) : list Z :=
  if l =? 0 then acc else add_scaled_onto [] l a acc.

(* acc + sum of ls_i * rows_i *)
Fixpoint combination (ls : list Z) (rows : list (list Z)) (acc : list Z) : list Z :=
  match ls, rows with
  | l :: ls', a :: rows' => combination ls' rows' (add_scaled l a acc)
  | _, _ => acc
  end.

Fixpoint sum_abs_from (sum : Z) (a : list Z) : Z :=
  match a with [] => sum | u :: a' => sum_abs_from (sum + Z.abs u) a' end.
Definition sum_abs (a : list Z) : Z := sum_abs_from 0 a.
Definition max_abs (a : list Z) : Z := fold_left (fun m u => Z.max m (Z.abs u)) a 0.
Definition is_zero (a : list Z) : bool := forallb (Z.eqb 0) a.

Fixpoint pick_onto {A : Type} (marks : list bool) (l reversed : list A) : list A :=
  match marks, l with
  | b :: marks', a :: l' => pick_onto marks' l' (if b then a :: reversed else reversed)
  | _, _ => rev_append reversed []
  end.
(* the elements that are marked *)
Definition pick {A : Type} (marks : list bool) (l : list A) : list A := pick_onto marks l [].

Fixpoint fit_onto (n : nat) (marks reversed : list bool) : option (list bool) :=
  match n, marks with
  | O, _ => if forallb negb marks then Some (rev_append reversed []) else None
  | S n', [] => fit_onto n' [] (false :: reversed)
  | S n', b :: marks' => fit_onto n' marks' (b :: reversed)
  end.
(* a mask as exactly n marks; None if it has a bit beyond *)
Definition fit (n : nat) (mask : list bool) : option (list bool) := fit_onto n mask [].

Fixpoint number_from (n : nat) (marks : list bool) : nat :=
  match marks with [] => n | b :: marks' => number_from (if b then S n else n) marks' end.
(* how many are marked *)
Definition number (marks : list bool) : nat := number_from 0 marks.

Fixpoint split_onto {A : Type} (n : nat) (l reversed : list A) : list A * list A :=
  match n, l with
  | S n', a :: l' => split_onto n' l' (a :: reversed)
  | _, _ => (rev_append reversed [], l)
  end.
(* the first n elements and the others *)
Definition split_at {A : Type} (n : nat) (l : list A) : list A * list A := split_onto n l [].

(* ---------- packing: a row as one integer, its entries as digits ---------- *)

(* sum of l_j B^j *)
Fixpoint horner (B : Z) (l : list Z) : Z :=
  match l with [] => 0 | a :: l' => a + B * horner B l' end.
Fixpoint pairs_onto (B : Z) (l reversed : list Z) {struct l} : list Z :=
  match l with
  | a :: b :: l' => pairs_onto B l' ((a + B * b) :: reversed)
  | [a] => rev_append reversed [a]
  | [] => rev_append reversed []
  end.
(* the same number, by halving the list: quasi-linear with fast multiplication *)
Fixpoint pack_within (halvings : nat) (B : Z) (l : list Z) : Z :=
  match halvings, l with
  | _, [] => 0
  | _, [a] => a
  | O, _ => horner B l
  | S h, _ => pack_within h (B * B) (pairs_onto B l [])
  end.
Definition pack (B : Z) (l : list Z) : Z := pack_within 32 B l.
