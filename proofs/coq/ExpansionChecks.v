(* The checker of a bound on how much a layer shortens distances (I6; section 4.11 of FORMAT.md).  A row that no relu follows, or that
   is not negative at the midpoint of x and y, shortens its part of the distance by a factor of at most 2; in every case of a tree such
   rows W_A have W_A^T W_A - q I without a negative eigenvalue.  `check_expansion_sound` in ExpansionSound.v: true means that the claim
   holds (InjectivityClaims.v). *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate InjectivityCertificate Vectors Systems Checker InjectivityChecks.
Import ListNotations.
Local Open Scope Z_scope.

(* ---------- symmetric matrices: their rows, each from the diagonal on ---------- *)

Definition symmetric := list (list Z).

(* matrix + f a^T a *)
Fixpoint add_square (f : Z) (a : list Z) (m : symmetric) : symmetric :=
  match a, m with u :: a', r :: m' => tmap2 (fun v x => x + f * u * v) a r :: add_square f a' m' | _, _ => m end.
Definition scaled (f : Z) (m : symmetric) : symmetric := tmap (tmap (Z.mul f)) m.
(* f I, of n columns *)
Fixpoint diagonal (f : Z) (n : nat) : symmetric := match n with O => [] | S n' => (f :: zeros n') :: diagonal f n' end.

(* m / f where that leaves no remainder, and otherwise m *)
Definition without_factor (f : Z) (m : symmetric) : symmetric :=
  let quotient := tmap (tmap (fun x => x / f)) m in
  if forallb (fun b => b) (tmap2 (fun r r' => forallb (fun b => b) (tmap2 (fun x y => x =? f * y) r r')) m quotient) then quotient else m.

(* Whether no eigenvalue is negative: with a pivot p > 0, none of p times the Schur complement is; a 0 on the diagonal asks for a row of
   zeros.  Divided by the pivot before, entries stay minors of m. *)
Fixpoint semidefinite (size : nat) (before : Z) (m : symmetric) : bool :=
  match size, m with
  | _, [] => true
  | S size', (p :: r) :: m' =>
      if p =? 0 then is_zero r && semidefinite size' before m'
      else (0 <? p) && semidefinite size' p (without_factor before (add_square (-1) r (scaled p m')))
  | _, _ => false
  end.

(* ---------- the tree ---------- *)

Section Tree.
(* what is subtracted from biases; the bound; the numbers of the rows of each dependency *)
Variables (l : layer) (K : convex_domain) (bound : fraction) (groups : list (list nat)).
Let n := inputs l.
Let free := tmap negb (fixed_columns n K).
Let low := lowest_exponent (rows l).

(* a row's columns in which the domain has more than one value, in units of 2^low *)
Definition free_row (j : nat) : list Z :=
  let r := numbered_row l j in tmap (fun u => Z.shiftl u (exponent r - low)) (pick free (coefficients r)).
(* matrix: the rows in A, each once, have below(bound) W_A^T W_A - above(bound) I = 2^(2 low) matrix *)
Definition no_rows : symmetric := diagonal (- Z.shiftl (above bound) (-2 * low)) (number free).
Definition closes (matrix : symmetric) : bool := semidefinite (size_of matrix) 1 matrix.
Definition with_square (a : list Z) (matrix : symmetric) : symmetric := add_square (below bound) a matrix.

(* A and its matrix: a row that is there adds nothing *)
Definition cases := (list nat * symmetric)%type.
Definition with_row (j : nat) (A : cases) : cases :=
  let (inside, matrix) := A in if is_among j inside then A else (j :: inside, with_square (free_row j) matrix).
Definition with_rows (js : list nat) (A : cases) : cases := fold_left (fun A j => with_row j A) js A.

(* Parallel rows one of which is not negative at the midpoint, none of them in A: at least the shortest is added. *)
Definition shorter (a b : list Z) : list Z := if dot a a <=? dot b b then a else b.
Definition with_shortest (js : list nat) (A : cases) : option cases :=
  match js with
  | [] => None
  | j :: js' =>
      let shortest := fold_left (fun a i => shorter a (free_row i)) js' (free_row j) in
      if forallb (fun i => negb (is_among i (fst A)) && are_multiples shortest (free_row i)
                           && (dot shortest shortest <=? dot (free_row i) (free_row i))) js
      then Some (tapp js (fst A), with_square shortest (snd A)) else None
  end.
Fixpoint with_all_shortest (jss : list (list nat)) (A : cases) : option cases :=
  match jss with
  | [] => Some A
  | js :: jss' => match with_shortest js A with Some A' => with_all_shortest jss' A' | None => None end
  end.

(* one row from each group, however it is chosen, closes the case *)
Fixpoint every_choice_closes (jss : list (list nat)) (A : cases) : bool :=
  match jss with [] => closes (snd A) | js :: jss' => forallb (fun j => every_choice_closes jss' (with_row j A)) js end.

(* A node, with the lines from its own on: those that are left after it and all below it.  The rows numbered `outside` are rectified and
   negative at the midpoint. *)
Fixpoint check_case (depth : nat) (outside : list nat) (A : cases) (lines : list tree_line) : option (list tree_line) :=
  if closes (snd A) then Some lines
  else
    match depth, lines with
    | S depth', line :: lines =>
        let free_of := filter (fun j => negb (is_among j outside)) in
        match line with
        | Branch d =>
            match nth_error groups d with
            | Some js =>
                (fix children (outside js : list nat) (lines : list tree_line) : option (list tree_line) :=
                   match js with
                   | [] => Some lines
                   | j :: js' =>
                       match check_case depth' outside (with_row j A) lines with
                       | Some rest => children (j :: outside) js' rest
                       | None => None
                       end
                   end) outside (free_of js) lines
            | None => None
            end
        | Split j =>
            if Nat.ltb j (size_of (rows l))
            then match check_case depth' (j :: outside) A lines with
                 | Some rest => check_case depth' outside (with_row j A) rest
                 | None => None
                 end
            else None
        | Pack ds =>
            match numbered groups ds with
            | Some gs =>
                let gs := tmap free_of gs in
                if all_different (concat gs) && (ways gs <=? most_ways) && every_choice_closes gs A then Some lines else None
            | None => None
            end
        | Spanned _ => None
        end
    | _, _ => None
    end.

(* the rows that no relu follows *)
Definition unrectified_rows : list nat := pick (tmap negb (rectified l)) (seq 0 (size_of (rows l))).
Definition bounded_below (certain : list (list nat)) (lines : list tree_line) : bool :=
  match with_all_shortest certain (with_rows unrectified_rows ([], no_rows)) with
  | Some A => match check_case (size_of lines) [] A lines with Some [] => true | _ => false end
  | None => false
  end.
End Tree.

Definition layer_expands (l : layer) (c : expansion_certificate) : bool :=
  let K := expansive_on c in
  forallb (dependency_holds (expansive_lowered_by c) l K) (expansion_dependencies c)
  && match numbered (expansion_dependencies c) (expansion_certain c) with
     | Some ds =>
         match certain_rows l ds with
         | Some _ =>
             bounded_below l K (expansion c) (tmap row_numbers (expansion_dependencies c)) (tmap row_numbers ds) (expansion_tree c)
         | None => false
         end
     | None => false
     end.

Definition check_expansion (net : network) (c : expansion_certificate) : bool :=
  network_ok net
  && match split_layers net (expansive_layer c) with
     | Some (_, l) =>
         convex_domain_ok (inputs l) (expansive_on c) && fraction_ok (expansive_lowered_by c)
         && fraction_ok (expansion c) && (0 <? above (expansion c)) && layer_expands l c
     | None => false
     end.
